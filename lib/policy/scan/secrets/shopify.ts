/** Shopify. */
import type { Vendor } from '../rule.ts';

export const shopify: Vendor = {
  vendor: 'Shopify',
  rules: [
    { id: 'shopify-token', shapes: ['shpat_{anyhex:32}', 'shpca_{anyhex:32}', 'shppa_{anyhex:32}', 'shpss_{anyhex:32}'], ignores: ['shpat_{anyhex:31}'] },
  ],
};
