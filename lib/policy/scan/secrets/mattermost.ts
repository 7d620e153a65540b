/** Mattermost. */
import type { Vendor } from '../rule.ts';

export const mattermost: Vendor = {
  vendor: 'Mattermost',
  rules: [
    { id: 'mattermost-token', names: ['mattermost'], shapes: ['{base62:26}'] },
  ],
};
