/** Calendly. */
import type { Vendor } from '../rule.ts';

export const calendly: Vendor = {
  vendor: 'Calendly',
  rules: [
    { id: 'calendly-api-key', names: ['calendly'], shapes: ['{base62:32}'] },
  ],
};
