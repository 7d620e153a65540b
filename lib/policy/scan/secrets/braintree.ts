/** Braintree. */
import type { Vendor } from '../rule.ts';

export const braintree: Vendor = {
  vendor: 'Braintree',
  rules: [
    {
      id: 'braintree-access-token', shapes: ['access_token$production${base36:16}${hex:32}', 'access_token$sandbox${base36:16}${hex:32}'],
      ignores: ['access_token$production${base36:16}'],
    },
  ],
};
