/** Square. */
import type { Vendor } from '../rule.ts';

export const square: Vendor = {
  vendor: 'Square',
  rules: [
    { id: 'square-access-token', shapes: ['EAAA{base64url:22-60}', 'sq0atp-{base64url:22-60}', 'sq0csp-{base64url:43}'] },
  ],
};
