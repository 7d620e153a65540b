/** Cloudsmith. */
import type { Vendor } from '../rule.ts';

export const cloudsmith: Vendor = {
  vendor: 'Cloudsmith',
  rules: [
    { id: 'cloudsmith-api-key', names: ['cloudsmith'], shapes: ['{hex:40}'] },
  ],
};
