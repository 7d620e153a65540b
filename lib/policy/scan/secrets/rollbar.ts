/** Rollbar. */
import type { Vendor } from '../rule.ts';

export const rollbar: Vendor = {
  vendor: 'Rollbar',
  rules: [
    { id: 'rollbar-token', names: ['rollbar'], shapes: ['{hex:32}'] },
  ],
};
