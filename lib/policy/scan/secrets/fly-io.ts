/** Fly.io. */
import type { Vendor } from '../rule.ts';

export const flyIo: Vendor = {
  vendor: 'Fly.io',
  rules: [
    {
      id: 'fly-io-token', shapes: ['fo1_{base64url:43}', 'fm1a_{base64:100-}{pad:0-3}', 'fm1r_{base64:100-}{pad:0-3}', 'fm2_{base64:100-}{pad:0-3}'],
      ignores: ['fo1_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '{base62:8}-Fo1_{base62:43}'],
    },
  ],
};
