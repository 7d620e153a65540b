/** Replicate. */
import type { Vendor } from '../rule.ts';

export const replicate: Vendor = {
  vendor: 'Replicate',
  rules: [
    { id: 'replicate-token', shapes: ['r8_{base62:37}'] },
  ],
};
