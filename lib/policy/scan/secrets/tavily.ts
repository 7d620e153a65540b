/** Tavily. */
import type { Vendor } from '../rule.ts';

export const tavily: Vendor = {
  vendor: 'Tavily',
  rules: [
    { id: 'tavily-api-key', shapes: ['tvly-{base62:32}', 'tvly-dev-{base62:32}', 'tvly-prod-{base62:32}'] },
  ],
};
