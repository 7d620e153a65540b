/** GoCardless. */
import type { Vendor } from '../rule.ts';

export const gocardless: Vendor = {
  vendor: 'GoCardless',
  rules: [
    { id: 'gocardless-token', names: ['gocardless'], shapes: ['live_{padded:40}', 'sandbox_{padded:40}'] },
  ],
};
