/** Sidekiq. */
import type { Vendor } from '../rule.ts';

export const sidekiq: Vendor = {
  vendor: 'Sidekiq',
  rules: [
    { id: 'sidekiq-secret', names: ['bundle_enterprise__contribsys__com', 'bundle_gems__contribsys__com'], shapes: ['{anyhex:8}:{anyhex:8}'] },
  ],
};
