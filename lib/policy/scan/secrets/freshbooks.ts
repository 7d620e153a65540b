/** FreshBooks. */
import type { Vendor } from '../rule.ts';

export const freshbooks: Vendor = {
  vendor: 'FreshBooks',
  rules: [
    { id: 'freshbooks-token', names: ['freshbooks'], shapes: ['{base62:64}'] },
  ],
};
