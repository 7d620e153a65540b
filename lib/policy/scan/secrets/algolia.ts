/** Algolia. */
import type { Vendor } from '../rule.ts';

export const algolia: Vendor = {
  vendor: 'Algolia',
  rules: [
    { id: 'algolia-api-key', names: ['algolia'], shapes: ['{base62:32}'] },
  ],
};
