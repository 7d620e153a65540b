/** ElevenLabs. */
import type { Vendor } from '../rule.ts';

export const elevenlabs: Vendor = {
  vendor: 'ElevenLabs',
  rules: [
    { id: 'elevenlabs-api-key', shapes: ['sk_{hex:48}'] },
  ],
};
