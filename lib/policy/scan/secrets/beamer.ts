/** Beamer. */
import type { Vendor } from '../rule.ts';

export const beamer: Vendor = {
  vendor: 'Beamer',
  rules: [
    { id: 'beamer-api-token', names: ['beamer'], shapes: ['b_{padded:44}'] },
  ],
};
