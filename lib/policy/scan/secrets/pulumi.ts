/** Pulumi. */
import type { Vendor } from '../rule.ts';

export const pulumi: Vendor = {
  vendor: 'Pulumi',
  rules: [
    { id: 'pulumi-token', shapes: ['pul-{hex:40}'], ignores: ['pul-{hex:39}'] },
  ],
};
