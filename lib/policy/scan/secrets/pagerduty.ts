/** PagerDuty. */
import type { Vendor } from '../rule.ts';

export const pagerduty: Vendor = {
  vendor: 'PagerDuty',
  rules: [
    { id: 'pagerduty-api-key', names: ['pagerduty', 'pager_duty'], shapes: ['u+{padded:18}', '{base64url:20}'] },
  ],
};
