/** Segment. */
import type { Vendor } from '../rule.ts';

export const segment: Vendor = {
  vendor: 'Segment',
  rules: [
    { id: 'segment-token', shapes: ['sgp_{base62:64}'] },
    { id: 'segment-write-key', names: ['segment'], shapes: ['{base62:32}'] },
  ],
};
