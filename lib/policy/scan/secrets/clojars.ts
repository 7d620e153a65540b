/** Clojars. */
import type { Vendor } from '../rule.ts';

export const clojars: Vendor = {
  vendor: 'Clojars',
  rules: [
    { id: 'clojars-token', shapes: ['CLOJARS_{base62:60}'], ignores: ['CLOJARS_{base62:58}'] },
  ],
};
