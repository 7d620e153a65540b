/** Airtable. */
import type { Vendor } from '../rule.ts';

export const airtable: Vendor = {
  vendor: 'Airtable',
  rules: [
    { id: 'airtable-api-key', names: ['airtable'], shapes: ['{base62:17}'] },
    { id: 'airtable-personal-access-token', shapes: ['pat{base62:14}.{hex:64}'], ignores: ['pat{base62:14}.{hex:60}'] },
  ],
};
