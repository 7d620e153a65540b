/** Intercom. */
import type { Vendor } from '../rule.ts';

export const intercom: Vendor = {
  vendor: 'Intercom',
  rules: [
    { id: 'intercom-access-token', names: ['intercom'], shapes: ['{padded:60}', 'dG9r{base64:56}{pad:0-1}'] },
  ],
};
