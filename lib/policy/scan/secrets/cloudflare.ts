/** Cloudflare. */
import type { Vendor } from '../rule.ts';

export const cloudflare: Vendor = {
  vendor: 'Cloudflare',
  rules: [
    { id: 'cloudflare-api-token', names: ['cloudflare'], shapes: ['{base64url:40}'] },
    { id: 'cloudflare-global-api-key', names: ['cloudflare'], shapes: ['{anyhex:37}'] },
    { id: 'cloudflare-origin-ca-key', shapes: ['v1.0-{hex:24}-{hex:146}'], ignores: ['v1.0-{hex:24}-{hex:100}'] },
  ],
};
