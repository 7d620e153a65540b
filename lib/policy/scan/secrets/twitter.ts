/** X (Twitter). */
import type { Vendor } from '../rule.ts';

export const twitter: Vendor = {
  vendor: 'X (Twitter)',
  rules: [
    { id: 'twitter-api-key', names: ['twitter'], shapes: ['{base62:25}'] },
    { id: 'twitter-api-secret', names: ['twitter'], shapes: ['{base62:50}'] },
    { id: 'twitter-access-token', names: ['twitter'], shapes: ['{digit:15-25}-{base62:20-40}'] },
    { id: 'twitter-access-secret', names: ['twitter'], shapes: ['{base62:45}'] },
    { id: 'twitter-bearer-token', names: ['twitter'], shapes: ['AAAAAAAAAAAAAAAAAAAAAA{percent:80-100}'] },
  ],
};
