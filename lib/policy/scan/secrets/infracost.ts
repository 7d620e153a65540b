/** Infracost. */
import type { Vendor } from '../rule.ts';

export const infracost: Vendor = {
  vendor: 'Infracost',
  rules: [
    { id: 'infracost-api-key', shapes: ['ico-{base62:32}'], ignores: ['Pubblico-{base62:32}'] },
  ],
};
