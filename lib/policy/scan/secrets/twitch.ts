/** Twitch. */
import type { Vendor } from '../rule.ts';

export const twitch: Vendor = {
  vendor: 'Twitch',
  rules: [
    { id: 'twitch-token', names: ['twitch'], shapes: ['{base62:30}'] },
  ],
};
