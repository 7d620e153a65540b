/** Amplitude. */
import type { Vendor } from '../rule.ts';

export const amplitude: Vendor = {
  vendor: 'Amplitude',
  rules: [
    { id: 'amplitude-secret-key', names: ['amplitude'], shapes: ['{hex:32}'] },
  ],
};
