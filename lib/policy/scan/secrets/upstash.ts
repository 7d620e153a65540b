/** Upstash. */
import type { Vendor } from '../rule.ts';

export const upstash: Vendor = {
  vendor: 'Upstash',
  rules: [
    { id: 'upstash-token', names: ['upstash'], shapes: ['{base64url:40-120}{pad:0-2}'] },
  ],
};
