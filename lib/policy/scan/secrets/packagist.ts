/** Packagist. */
import type { Vendor } from '../rule.ts';

export const packagist: Vendor = {
  vendor: 'Packagist',
  rules: [
    { id: 'packagist-token', shapes: ['packagist_uut_{hex:68}', 'packagist_out_{hex:68}', 'packagist_ort_{hex:68}', 'packagist_ack_{hex:68}'] },
  ],
};
