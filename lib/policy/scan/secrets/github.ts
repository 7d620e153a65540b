/** GitHub. */
import { crcOfBody } from '../checksum.ts';
import type { Vendor } from '../rule.ts';

export const github: Vendor = {
  vendor: 'GitHub',
  rules: [
    {
      id: 'github-token', shapes: ['ghp_{base62:36}', 'gho_{base62:36}', 'ghu_{base62:36}', 'ghs_{base62:36}', 'ghr_{base62:36}', 'ghr_{base62:76}'], checksum: crcOfBody,
      catches: ['git clone https://x-access-token:ghs_{base62:36}@github.com/o/r'],
      ignores: ['ghp_{base62:35}', 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    },
    { id: 'github-fine-grained-token', shapes: ['github_pat_{word:82}'], ignores: ['github_pat_{base62:40}'] },
  ],
};
