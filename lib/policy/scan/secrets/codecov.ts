/** Codecov. */
import type { Vendor } from '../rule.ts';

export const codecov: Vendor = {
  vendor: 'Codecov',
  rules: [
    { id: 'codecov-token', names: ['codecov'], shapes: ['{base62:32}', '{uuid}'] },
  ],
};
