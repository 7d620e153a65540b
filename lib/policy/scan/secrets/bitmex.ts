/** BitMEX. */
import type { Vendor } from '../rule.ts';

export const bitmex: Vendor = {
  vendor: 'BitMEX',
  rules: [
    { id: 'bitmex-secret', names: ['bitmex'], shapes: ['{base64url:48}'] },
  ],
};
