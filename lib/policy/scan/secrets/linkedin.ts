/** LinkedIn. */
import type { Vendor } from '../rule.ts';

export const linkedin: Vendor = {
  vendor: 'LinkedIn',
  rules: [
    { id: 'linkedin-client-id', names: ['linkedin', 'linked_in', 'linked-in'], shapes: ['{base62:14}'], confidence: 'low' },
    { id: 'linkedin-client-secret', names: ['linkedin', 'linked_in', 'linked-in'], shapes: ['{base62:16}', 'WPL_AP{digit:1}.{base62:16}.{base62:6}=='] },
  ],
};
