/** KuCoin. */
import type { Vendor } from '../rule.ts';

export const kucoin: Vendor = {
  vendor: 'KuCoin',
  rules: [
    { id: 'kucoin-access-token', names: ['kucoin'], shapes: ['{anyhex:24}'] },
    { id: 'kucoin-secret-key', names: ['kucoin'], shapes: ['{uuid}'] },
  ],
};
