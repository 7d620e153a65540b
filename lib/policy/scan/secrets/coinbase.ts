/** Coinbase. */
import type { Vendor } from '../rule.ts';

export const coinbase: Vendor = {
  vendor: 'Coinbase',
  rules: [
    { id: 'coinbase-token', names: ['coinbase'], shapes: ['{base64url:64}', '{base62:16}'] },
  ],
};
