/** Adyen. */
import type { Vendor } from '../rule.ts';

export const adyen: Vendor = {
  vendor: 'Adyen',
  rules: [
    { id: 'adyen-api-key', names: ['adyen'], shapes: ['AQE{base64:60-200}{pad:0-2}.{graph:20-200}', 'AQE{base64:90-200}{pad:0-2}'] },
  ],
};
