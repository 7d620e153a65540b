/** Scalingo. */
import type { Vendor } from '../rule.ts';

export const scalingo: Vendor = {
  vendor: 'Scalingo',
  rules: [
    { id: 'scalingo-token', shapes: ['tk-us-{base64url:48}'] },
  ],
};
