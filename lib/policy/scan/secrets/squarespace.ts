/** Squarespace. */
import type { Vendor } from '../rule.ts';

export const squarespace: Vendor = {
  vendor: 'Squarespace',
  rules: [
    { id: 'squarespace-token', names: ['squarespace'], shapes: ['{uuid}'] },
  ],
};
