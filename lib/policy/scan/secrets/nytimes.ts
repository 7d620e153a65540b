/** The New York Times. */
import type { Vendor } from '../rule.ts';

export const nytimes: Vendor = {
  vendor: 'The New York Times',
  rules: [
    { id: 'nytimes-token', names: ['nytimes', 'newyorktimes', 'new-york-times'], shapes: ['{padded:32}'] },
  ],
};
