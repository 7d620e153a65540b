/** Vultr. */
import type { Vendor } from '../rule.ts';

export const vultr: Vendor = {
  vendor: 'Vultr',
  rules: [
    { id: 'vultr-api-key', names: ['vultr'], shapes: ['{BASE36:36}'] },
  ],
};
