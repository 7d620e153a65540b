/** BrowserStack. */
import type { Vendor } from '../rule.ts';

export const browserstack: Vendor = {
  vendor: 'BrowserStack',
  rules: [
    { id: 'browserstack-access-key', names: ['browserstack'], shapes: ['{base62:20}'] },
  ],
};
