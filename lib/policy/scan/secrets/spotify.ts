/** Spotify. */
import type { Vendor } from '../rule.ts';

export const spotify: Vendor = {
  vendor: 'Spotify',
  rules: [
    { id: 'spotify-client-secret', names: ['spotify'], shapes: ['{hex:32}'] },
  ],
};
