/** Razorpay. */
import type { Vendor } from '../rule.ts';

export const razorpay: Vendor = {
  vendor: 'Razorpay',
  rules: [
    { id: 'razorpay-key-id', shapes: ['rzp_live_{base62:14}', 'rzp_test_{base62:14}'] },
    { id: 'razorpay-secret', names: ['razorpay'], shapes: ['{base62:24}'] },
  ],
};
