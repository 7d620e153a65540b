/** Fastly. */
import type { Vendor } from '../rule.ts';

export const fastly: Vendor = {
  vendor: 'Fastly',
  rules: [
    { id: 'fastly-api-token', names: ['fastly'], shapes: ['{padded:32}'] },
  ],
};
