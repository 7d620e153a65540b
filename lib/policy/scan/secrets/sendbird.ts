/** Sendbird. */
import type { Vendor } from '../rule.ts';

export const sendbird: Vendor = {
  vendor: 'Sendbird',
  rules: [
    { id: 'sendbird-access-id', names: ['sendbird'], shapes: ['{uuid}'] },
    { id: 'sendbird-access-token', names: ['sendbird'], shapes: ['{anyhex:40}'] },
  ],
};
