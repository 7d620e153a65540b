/** Bitly. */
import type { Vendor } from '../rule.ts';

export const bitly: Vendor = {
  vendor: 'Bitly',
  rules: [
    { id: 'bitly-access-token', names: ['bitly'], shapes: ['{hex:40}'] },
  ],
};
