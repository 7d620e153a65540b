/** Klaviyo. */
import type { Vendor } from '../rule.ts';

export const klaviyo: Vendor = {
  vendor: 'Klaviyo',
  rules: [
    { id: 'klaviyo-api-key', names: ['klaviyo'], shapes: ['pk_{hex:34}'] },
  ],
};
