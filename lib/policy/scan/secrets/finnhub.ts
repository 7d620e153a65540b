/** Finnhub. */
import type { Vendor } from '../rule.ts';

export const finnhub: Vendor = {
  vendor: 'Finnhub',
  rules: [
    { id: 'finnhub-token', names: ['finnhub'], shapes: ['{base62:20}'] },
  ],
};
