/** Cohere. */
import type { Vendor } from '../rule.ts';

export const cohere: Vendor = {
  vendor: 'Cohere',
  rules: [
    { id: 'cohere-api-key', names: ['cohere', 'co_api_key'], shapes: ['{base62:40}'] },
  ],
};
