/** Lob. */
import type { Vendor } from '../rule.ts';

export const lob: Vendor = {
  vendor: 'Lob',
  rules: [
    { id: 'lob-api-key', shapes: ['live_{hex:35}', 'test_{hex:35}'] },
    { id: 'lob-publishable-key', shapes: ['live_pub_{hex:31}', 'test_pub_{hex:31}'], confidence: 'low' },
  ],
};
