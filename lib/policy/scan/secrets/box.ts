/** Box. */
import type { Vendor } from '../rule.ts';

export const box: Vendor = {
  vendor: 'Box',
  rules: [
    { id: 'box-client-secret', names: ['box_client', 'boxclient', 'box_secret', 'box_dev'], shapes: ['{base62:32}'] },
  ],
};
