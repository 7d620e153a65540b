/** MaxMind. */
import type { Vendor } from '../rule.ts';

export const maxmind: Vendor = {
  vendor: 'MaxMind',
  rules: [
    { id: 'maxmind-license-key', shapes: ['{base62:6}_{base62:29}_mmk'], ignores: ['{base62:6}_{base62:20}_mmk'] },
  ],
};
