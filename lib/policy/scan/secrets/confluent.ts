/** Confluent. */
import type { Vendor } from '../rule.ts';

export const confluent: Vendor = {
  vendor: 'Confluent',
  rules: [
    { id: 'confluent-api-key', names: ['confluent'], shapes: ['{base62:16}'] },
    { id: 'confluent-api-secret', names: ['confluent'], shapes: ['{base62:64}', 'cflt{base64:60}'] },
  ],
};
