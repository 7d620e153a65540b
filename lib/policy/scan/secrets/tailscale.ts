/** Tailscale. */
import type { Vendor } from '../rule.ts';

export const tailscale: Vendor = {
  vendor: 'Tailscale',
  rules: [
    { id: 'tailscale-key', shapes: ['tskey-auth-{base62:10-24}-{base62:30-40}', 'tskey-api-{base62:10-24}-{base62:30-40}', 'tskey-client-{base62:10-24}-{base62:30-40}'] },
  ],
};
