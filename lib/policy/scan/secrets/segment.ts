/** Segment. */
import type { Vendor } from '../rule.ts';

export const segment: Vendor = {
  vendor: 'Segment',
  rules: [
    { id: 'segment-token', shapes: ['sgp_{base62:64}'] },
    { id: 'segment-write-key', names: ['segment_write', 'segmentwrite', 'segment_api', 'segment_key'], shapes: ['{base62:32}'] },
  ],
};
