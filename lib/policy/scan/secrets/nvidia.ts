/** NVIDIA. */
import type { Vendor } from '../rule.ts';

export const nvidia: Vendor = {
  vendor: 'NVIDIA',
  rules: [
    { id: 'nvidia-api-key', shapes: ['nvapi-{base64url:60-70}'] },
  ],
};
