/** Perplexity. */
import type { Vendor } from '../rule.ts';

export const perplexity: Vendor = {
  vendor: 'Perplexity',
  rules: [
    { id: 'perplexity-api-key', shapes: ['pplx-{base62:48}'] },
  ],
};
