/** Railway. */
import type { Vendor } from '../rule.ts';

export const railway: Vendor = {
  vendor: 'Railway',
  rules: [
    { id: 'railway-token', names: ['railway'], shapes: ['{uuid}'] },
  ],
};
