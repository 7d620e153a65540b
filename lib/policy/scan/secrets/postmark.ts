/** Postmark. */
import type { Vendor } from '../rule.ts';

export const postmark: Vendor = {
  vendor: 'Postmark',
  rules: [
    { id: 'postmark-token', names: ['postmark'], shapes: ['{uuid}'] },
  ],
};
