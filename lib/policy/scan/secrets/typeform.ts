/** Typeform. */
import type { Vendor } from '../rule.ts';

export const typeform: Vendor = {
  vendor: 'Typeform',
  rules: [
    { id: 'typeform-token', shapes: ['tfp_{dotted:59}'] },
  ],
};
