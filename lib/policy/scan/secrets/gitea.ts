/** Gitea and Forgejo. */
import type { Vendor } from '../rule.ts';

export const gitea: Vendor = {
  vendor: 'Gitea and Forgejo',
  rules: [
    { id: 'gitea-token', names: ['gitea', 'forgejo'], shapes: ['{hex:40}'] },
  ],
};
