/** Bitbucket. */
import type { Vendor } from '../rule.ts';

export const bitbucket: Vendor = {
  vendor: 'Bitbucket',
  rules: [
    { id: 'bitbucket-client-id', names: ['bitbucket'], shapes: ['{base62:32}'], confidence: 'low' },
    { id: 'bitbucket-client-secret', names: ['bitbucket'], shapes: ['{padded:64}'] },
    { id: 'bitbucket-app-password', shapes: ['ATBB{base62:32}'] },
  ],
};
