/** JFrog. */
import type { Vendor } from '../rule.ts';

export const artifactory: Vendor = {
  vendor: 'JFrog',
  rules: [
    { id: 'artifactory-api-key', shapes: ['AKCp{base62:69}'], ignores: ['AKCp{base62:60}', 'akcp{base62:69}'] },
    { id: 'artifactory-reference-token', shapes: ['cmVmd{base62:59}'] },
    { id: 'jfrog-api-key', names: ['jfrog', 'artifactory', 'bintray', 'xray'], shapes: ['{base62:73}'] },
    { id: 'jfrog-identity-token', names: ['jfrog', 'artifactory', 'bintray', 'xray'], shapes: ['{base62:64}'] },
  ],
};
