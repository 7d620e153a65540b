/** Cursor. */
import type { Vendor } from '../rule.ts';

export const cursor: Vendor = {
  vendor: 'Cursor',
  rules: [
    { id: 'cursor-api-key', names: ['cursor'], shapes: ['key_{hex:64}'] },
  ],
};
