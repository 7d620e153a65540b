/** Looker. */
import type { Vendor } from '../rule.ts';

export const looker: Vendor = {
  vendor: 'Looker',
  rules: [
    { id: 'looker-client-id', names: ['looker'], shapes: ['{base62:20}'], confidence: 'low' },
    { id: 'looker-client-secret', names: ['looker'], shapes: ['{base62:24}'] },
  ],
};
