/** Firebase Cloud Messaging. */
import type { Vendor } from '../rule.ts';

export const firebase: Vendor = {
  vendor: 'Firebase Cloud Messaging',
  rules: [
    { id: 'firebase-server-key', shapes: ['AAAA{base64url:7}:{base64url:140}'] },
  ],
};
