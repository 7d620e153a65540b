/** Helicone. */
import type { Vendor } from '../rule.ts';

export const helicone: Vendor = {
  vendor: 'Helicone',
  rules: [
    { id: 'helicone-api-key', shapes: ['sk-helicone-{base36:7}-{base36:7}-{base36:7}-{base36:7}'] },
  ],
};
