/** Mollie. */
import type { Vendor } from '../rule.ts';

export const mollie: Vendor = {
  vendor: 'Mollie',
  rules: [
    { id: 'mollie-api-key', shapes: ['live_{base62:30}', 'test_{base62:30}'] },
  ],
};
