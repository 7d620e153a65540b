/** Linode. */
import type { Vendor } from '../rule.ts';

export const linode: Vendor = {
  vendor: 'Linode',
  rules: [
    { id: 'linode-token', names: ['linode'], shapes: ['{hex:64}'] },
  ],
};
