/** xAI. */
import type { Vendor } from '../rule.ts';

export const xai: Vendor = {
  vendor: 'xAI',
  rules: [
    { id: 'xai-api-key', shapes: ['xai-{base62:80}'] },
  ],
};
