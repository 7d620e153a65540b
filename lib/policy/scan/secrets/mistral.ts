/** Mistral AI. */
import type { Vendor } from '../rule.ts';

export const mistral: Vendor = {
  vendor: 'Mistral AI',
  rules: [
    { id: 'mistral-api-key', names: ['mistral'], shapes: ['{base62:32}'] },
  ],
};
