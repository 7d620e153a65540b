/** Finicity. */
import type { Vendor } from '../rule.ts';

export const finicity: Vendor = {
  vendor: 'Finicity',
  rules: [
    { id: 'finicity-api-token', names: ['finicity'], shapes: ['{anyhex:32}'] },
    { id: 'finicity-client-secret', names: ['finicity'], shapes: ['{base62:20}'] },
  ],
};
