/** SettleMint. */
import type { Vendor } from '../rule.ts';

export const settlemint: Vendor = {
  vendor: 'SettleMint',
  rules: [
    { id: 'settlemint-token', shapes: ['sm_aat_{base62:16}', 'sm_pat_{base62:16}', 'sm_sat_{base62:16}'], ignores: ['sm_aat_{base62:10}'] },
  ],
};
