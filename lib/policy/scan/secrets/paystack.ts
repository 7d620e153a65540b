/** Paystack. */
import type { Vendor } from '../rule.ts';

export const paystack: Vendor = {
  vendor: 'Paystack',
  rules: [
    { id: 'paystack-key', names: ['paystack'], shapes: ['sk_live_{hex:40}', 'sk_test_{hex:40}'] },
  ],
};
