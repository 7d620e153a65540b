/** Mailjet. */
import type { Vendor } from '../rule.ts';

export const mailjet: Vendor = {
  vendor: 'Mailjet',
  rules: [
    { id: 'mailjet-key', names: ['mailjet'], shapes: ['{hex:32}'] },
  ],
};
