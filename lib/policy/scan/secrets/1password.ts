/** 1Password. */
import type { Vendor } from '../rule.ts';

export const onepassword: Vendor = {
  vendor: '1Password',
  rules: [
    {
      id: '1password-secret-key', shapes: ['A3-{BASE36:6}-{BASE36:11}-{BASE36:5}-{BASE36:5}-{BASE36:5}', 'A3-{BASE36:6}-{BASE36:6}-{BASE36:5}-{BASE36:5}-{BASE36:5}-{BASE36:5}'],
      ignores: ['A3-XXXXXX-XXXXXXXXXXX-XXXXX-XXXXX-XXXXX', 'a3-{base36:6}-{base36:11}-{base36:5}-{base36:5}-{base36:5}'],
    },
    { id: '1password-service-account-token', shapes: ['ops_eyJ{base64:250-}{pad:0-3}'], ignores: ['ops_eyJ{base64:80}'] },
  ],
};
