/** SonarQube and SonarCloud. */
import type { Vendor } from '../rule.ts';

export const sonar: Vendor = {
  vendor: 'SonarQube and SonarCloud',
  rules: [
    { id: 'sonar-token', names: ['sonar'], shapes: ['{padded:40}', 'squ_{padded:40}', 'sqp_{padded:40}', 'sqa_{padded:40}'] },
    { id: 'sonar-typed-token', shapes: ['squ_{hex:40}', 'sqp_{hex:40}', 'sqa_{hex:40}'] },
  ],
};
