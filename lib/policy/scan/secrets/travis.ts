/** Travis CI. */
import type { Vendor } from '../rule.ts';

export const travis: Vendor = {
  vendor: 'Travis CI',
  rules: [
    { id: 'travis-token', names: ['travis'], shapes: ['{base62:22}'] },
  ],
};
