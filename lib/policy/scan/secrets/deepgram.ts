/** Deepgram. */
import type { Vendor } from '../rule.ts';

export const deepgram: Vendor = {
  vendor: 'Deepgram',
  rules: [
    { id: 'deepgram-api-key', names: ['deepgram'], shapes: ['{hex:40}'] },
  ],
};
