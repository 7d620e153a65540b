/** Bugsnag. */
import type { Vendor } from '../rule.ts';

export const bugsnag: Vendor = {
  vendor: 'Bugsnag',
  rules: [
    { id: 'bugsnag-api-key', names: ['bugsnag'], shapes: ['{hex:32}'] },
  ],
};
