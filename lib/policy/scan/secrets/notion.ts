/** Notion. */
import type { Vendor } from '../rule.ts';

export const notion: Vendor = {
  vendor: 'Notion',
  rules: [
    { id: 'notion-token', shapes: ['ntn_{digit:11}{base62:35}', 'secret_{base62:43}'], ignores: ['ntn_{digit:11}{base62:20}'] },
  ],
};
