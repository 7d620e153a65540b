/** Kraken. */
import type { Vendor } from '../rule.ts';

export const kraken: Vendor = {
  vendor: 'Kraken',
  rules: [
    { id: 'kraken-key', names: ['kraken'], shapes: ['{kraken:80-90}'] },
  ],
};
