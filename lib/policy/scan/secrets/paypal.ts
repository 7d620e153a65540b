/** PayPal. */
import type { Vendor } from '../rule.ts';

export const paypal: Vendor = {
  vendor: 'PayPal',
  rules: [
    { id: 'paypal-secret', names: ['paypal'], shapes: ['{base64url:80}', 'E{base64url:79}'] },
  ],
};
