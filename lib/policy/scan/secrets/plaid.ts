/** Plaid. */
import type { Vendor } from '../rule.ts';

export const plaid: Vendor = {
  vendor: 'Plaid',
  rules: [
    { id: 'plaid-access-token', shapes: ['access-sandbox-{uuid}', 'access-development-{uuid}', 'access-production-{uuid}'] },
    { id: 'plaid-client-id', names: ['plaid'], shapes: ['{base62:24}'], confidence: 'low' },
    { id: 'plaid-secret', names: ['plaid'], shapes: ['{base62:30}'] },
  ],
};
