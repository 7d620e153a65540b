/** DigitalOcean. */
import type { Vendor } from '../rule.ts';

export const digitalocean: Vendor = {
  vendor: 'DigitalOcean',
  rules: [
    { id: 'digitalocean-token', shapes: ['dop_v1_{hex:64}', 'doo_v1_{hex:64}', 'dor_v1_{anyhex:64}'], ignores: ['dop_v1_{hex:63}'] },
    { id: 'digitalocean-spaces-key', names: ['spaces_secret', 'do_spaces'], shapes: ['{base64:43}'] },
  ],
};
