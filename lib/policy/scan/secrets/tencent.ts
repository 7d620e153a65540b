/** Tencent Cloud. */
import type { Vendor } from '../rule.ts';

export const tencent: Vendor = {
  vendor: 'Tencent Cloud',
  rules: [
    { id: 'tencent-secret-id', shapes: ['AKID{base62:32}'] },
  ],
};
