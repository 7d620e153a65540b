/** Frame.io. */
import type { Vendor } from '../rule.ts';

export const frameio: Vendor = {
  vendor: 'Frame.io',
  rules: [
    { id: 'frameio-token', shapes: ['fio-u-{padded:64}'] },
  ],
};
