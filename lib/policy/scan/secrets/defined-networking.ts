/** Defined Networking. */
import type { Vendor } from '../rule.ts';

export const definedNetworking: Vendor = {
  vendor: 'Defined Networking',
  rules: [
    { id: 'defined-networking-token', shapes: ['dnkey-{padded:26}-{padded:52}'] },
  ],
};
