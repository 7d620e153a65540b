/** Docker Hub. */
import type { Vendor } from '../rule.ts';

export const docker: Vendor = {
  vendor: 'Docker Hub',
  rules: [
    { id: 'docker-token', shapes: ['dckr_pat_{base64url:27}', 'dckr_oat_{base64url:32}'], ignores: ['dckr_pat_{base64url:20}'] },
  ],
};
