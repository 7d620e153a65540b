/** Hetzner Cloud. */
import type { Vendor } from '../rule.ts';

export const hetzner: Vendor = {
  vendor: 'Hetzner Cloud',
  rules: [
    { id: 'hetzner-token', names: ['hetzner', 'hcloud'], shapes: ['{base62:64}'] },
  ],
};
