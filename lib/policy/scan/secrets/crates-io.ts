/** crates.io. */
import type { Vendor } from '../rule.ts';

export const cratesIo: Vendor = {
  vendor: 'crates.io',
  rules: [
    { id: 'crates-io-token', shapes: ['cio{base62:32}'] },
  ],
};
