/** Zendesk. */
import type { Vendor } from '../rule.ts';

export const zendesk: Vendor = {
  vendor: 'Zendesk',
  rules: [
    { id: 'zendesk-secret-key', names: ['zendesk'], shapes: ['{base62:40}'] },
  ],
};
