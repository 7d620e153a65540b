/** Together AI. */
import type { Vendor } from '../rule.ts';

export const together: Vendor = {
  vendor: 'Together AI',
  rules: [
    { id: 'together-api-key', names: ['together_api', 'togetherai', 'together_ai'], shapes: ['{hex:64}'] },
  ],
};
