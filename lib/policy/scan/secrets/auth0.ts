/** Auth0. */
import type { Vendor } from '../rule.ts';

export const auth0: Vendor = {
  vendor: 'Auth0',
  rules: [
    { id: 'auth0-client-secret', names: ['auth0'], shapes: ['{base64url:64}'] },
    { id: 'auth0-client-id', names: ['auth0'], shapes: ['{base62:32}'], confidence: 'low' },
  ],
};
