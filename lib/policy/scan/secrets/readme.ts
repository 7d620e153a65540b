/** ReadMe. */
import type { Vendor } from '../rule.ts';

export const readme: Vendor = {
  vendor: 'ReadMe',
  rules: [
    { id: 'readme-api-key', shapes: ['rdme_{base36:70}'] },
  ],
};
