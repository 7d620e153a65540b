/** Shippo. */
import type { Vendor } from '../rule.ts';

export const shippo: Vendor = {
  vendor: 'Shippo',
  rules: [
    { id: 'shippo-token', shapes: ['shippo_live_{anyhex:40}', 'shippo_test_{anyhex:40}'] },
  ],
};
