/** HashiCorp. */
import type { Vendor } from '../rule.ts';

export const hashicorp: Vendor = {
  vendor: 'HashiCorp',
  rules: [
    { id: 'terraform-cloud-token', shapes: ['{base62:14}.atlasv1.{padded:60-70}'], ignores: ['{base62:14}.atlasv1.{base62:20}'] },
    { id: 'vault-service-token', shapes: ['hvs.{base64url:24-120}', 's.{base62:24}'], ignores: ['s.AcceptanceTimeoutSeconds', 's.xxxxxxxxxxxxxxxxxxxxxxxx'] },
    { id: 'vault-batch-token', shapes: ['hvb.{base64url:138-300}', 'hvr.{base64url:24-300}'] },
  ],
};
