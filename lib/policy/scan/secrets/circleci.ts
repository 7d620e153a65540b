/** CircleCI. */
import type { Vendor } from '../rule.ts';

export const circleci: Vendor = {
  vendor: 'CircleCI',
  rules: [
    { id: 'circleci-token', shapes: ['CCIPAT_{base62:22}_{hex:40}', 'CCIPRJ_{base62:22}_{hex:40}'] },
    { id: 'circleci-legacy-token', names: ['circleci', 'circle_ci', 'circle_token'], shapes: ['{hex:40}'] },
  ],
};
