/** Aiven. */
import type { Vendor } from '../rule.ts';

export const aiven: Vendor = {
  vendor: 'Aiven',
  rules: [
    { id: 'aiven-password', shapes: ['AVNS_{base64url:19}'] },
    { id: 'aiven-token', names: ['aiven'], shapes: ['{base64:372}'] },
  ],
};
