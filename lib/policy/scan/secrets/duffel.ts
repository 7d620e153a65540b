/** Duffel. */
import type { Vendor } from '../rule.ts';

export const duffel: Vendor = {
  vendor: 'Duffel',
  rules: [
    { id: 'duffel-token', shapes: ['duffel_test_{padded:43}', 'duffel_live_{padded:43}'] },
  ],
};
