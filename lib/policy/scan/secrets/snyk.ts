/** Snyk. */
import type { Vendor } from '../rule.ts';

export const snyk: Vendor = {
  vendor: 'Snyk',
  rules: [
    {
      id: 'snyk-token', names: ['snyk_token', 'snyk_api', 'snyk_key', 'snyk_oauth', 'snyktoken', 'snykapi', 'snykkey', 'snyk-token', 'snyk-api', 'snyk.token', 'snyk.api', 'snyk'],
      shapes: ['{uuid}'],
    },
  ],
};
