/** Etsy. */
import type { Vendor } from '../rule.ts';

export const etsy: Vendor = {
  vendor: 'Etsy',
  rules: [
    { id: 'etsy-access-token', names: ['etsy'], shapes: ['{base62:24}'], ignores: ['SetSysctl = "{base36:24}"'] },
  ],
};
