/** WireGuard. */
import type { Vendor } from '../rule.ts';

export const wireguard: Vendor = {
  vendor: 'WireGuard',
  rules: [
    { id: 'wireguard-private-key', names: ['privatekey', 'presharedkey'], shapes: ['{base64:43}='] },
  ],
};
