/** Resend. */
import type { Vendor } from '../rule.ts';

export const resend: Vendor = {
  vendor: 'Resend',
  rules: [
    { id: 'resend-api-key', shapes: ['re_{base62:8}_{base62:24}'] },
  ],
};
