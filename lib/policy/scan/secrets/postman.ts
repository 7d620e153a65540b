/** Postman. */
import type { Vendor } from '../rule.ts';

export const postman: Vendor = {
  vendor: 'Postman',
  rules: [
    { id: 'postman-api-key', shapes: ['PMAK-{anyhex:24}-{anyhex:34}'], ignores: ['PMAK-{hex:24}'] },
  ],
};
