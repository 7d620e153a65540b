/** Sourcegraph. */
import type { Vendor } from '../rule.ts';

export const sourcegraph: Vendor = {
  vendor: 'Sourcegraph',
  rules: [
    { id: 'sourcegraph-token', shapes: ['sgp_{anyhex:16}_{anyhex:40}', 'sgp_local_{anyhex:40}', 'sgp_{anyhex:40}'], ignores: ['sgp_{anyhex:36}'] },
    { id: 'sourcegraph-legacy-token', names: ['sourcegraph'], shapes: ['{anyhex:40}'] },
  ],
};
