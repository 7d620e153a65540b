/** Bittrex. */
import type { Vendor } from '../rule.ts';

export const bittrex: Vendor = {
  vendor: 'Bittrex',
  rules: [
    { id: 'bittrex-key', names: ['bittrex'], shapes: ['{base62:32}'] },
  ],
};
