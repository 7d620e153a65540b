/** Mezmo (LogDNA). */
import type { Vendor } from '../rule.ts';

export const logdna: Vendor = {
  vendor: 'Mezmo (LogDNA)',
  rules: [
    { id: 'logdna-key', names: ['logdna', 'mezmo'], shapes: ['{hex:32}'] },
  ],
};
