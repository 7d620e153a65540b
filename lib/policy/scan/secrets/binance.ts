/** Binance. */
import type { Vendor } from '../rule.ts';

export const binance: Vendor = {
  vendor: 'Binance',
  rules: [
    { id: 'binance-api-key', names: ['binance'], shapes: ['{base62:64}'] },
  ],
};
