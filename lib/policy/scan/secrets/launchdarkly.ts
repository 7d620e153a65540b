/** LaunchDarkly. */
import type { Vendor } from '../rule.ts';

export const launchdarkly: Vendor = {
  vendor: 'LaunchDarkly',
  rules: [
    { id: 'launchdarkly-access-token', names: ['launchdarkly'], shapes: ['{padded:40}'] },
    { id: 'launchdarkly-key', shapes: ['sdk-{uuid}', 'api-{uuid}'] },
  ],
};
