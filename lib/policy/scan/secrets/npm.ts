/** npm. */
import { crcOfBody } from '../checksum.ts';
import type { Vendor } from '../rule.ts';

export const npm: Vendor = {
  vendor: 'npm',
  rules: [
    {
      id: 'npm-token', shapes: ['npm_{base62:36}'], checksum: crcOfBody,
      catches: ['//registry.npmjs.org/:_authToken=npm_{base62:36}'],
      ignores: ['npm_{base62:35}'],
    },
    { id: 'npm-auth-token', names: ['_authtoken', '_auth='], shapes: ['{base64:40-400}{pad:0-2}', '{uuid}', '{base64url:36-200}'] },
  ],
};
