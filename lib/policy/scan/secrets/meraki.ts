/** Cisco Meraki. */
import type { Vendor } from '../rule.ts';

export const meraki: Vendor = {
  vendor: 'Cisco Meraki',
  rules: [
    { id: 'meraki-api-key', names: ['meraki'], shapes: ['{hex:40}'], ignores: ['meraki_token = {hex:64}', 'meraki: {hex:20}g{hex:19}'] },
  ],
};
