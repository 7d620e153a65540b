/** Adobe. */
import type { Vendor } from '../rule.ts';

export const adobe: Vendor = {
  vendor: 'Adobe',
  rules: [
    { id: 'adobe-client-id', names: ['adobe'], shapes: ['{anyhex:32}'], confidence: 'low' },
    { id: 'adobe-client-secret', shapes: ['p8e-{base62:32}'], ignores: ['p8e-{base62:40}'] },
  ],
};
