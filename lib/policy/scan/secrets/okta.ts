/** Okta. */
import type { Vendor } from '../rule.ts';

export const okta: Vendor = {
  vendor: 'Okta',
  rules: [
    {
      id: 'okta-token', names: ['okta'], shapes: ['00{padded:40}'],
      ignores: ['rookTable = 00{base62:40}', 'oktaKey = 00000000000000000000000000000000000TUVWXYZ'],
    },
  ],
};
