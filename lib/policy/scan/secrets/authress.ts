/** Authress. */
import type { Vendor } from '../rule.ts';

export const authress: Vendor = {
  vendor: 'Authress',
  rules: [
    {
      id: 'authress-access-key',
      shapes: ['sc_{base62:5-30}.{base62:4-6}.acc_{dashed:10-32}.{authress:30-120}', 'sc_{base62:5-30}.{base62:4-6}.acc-{dashed:10-32}.{authress:30-120}', 'ext_{base62:5-30}.{base62:4-6}.acc_{dashed:10-32}.{authress:30-120}', 'ext_{base62:5-30}.{base62:4-6}.acc-{dashed:10-32}.{authress:30-120}', 'scauth_{base62:5-30}.{base62:4-6}.acc_{dashed:10-32}.{authress:30-120}', 'scauth_{base62:5-30}.{base62:4-6}.acc-{dashed:10-32}.{authress:30-120}', 'authress_{base62:5-30}.{base62:4-6}.acc_{dashed:10-32}.{authress:30-120}', 'authress_{base62:5-30}.{base62:4-6}.acc-{dashed:10-32}.{authress:30-120}'],
    },
  ],
};
