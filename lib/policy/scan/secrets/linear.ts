/** Linear. */
import type { Vendor } from '../rule.ts';

export const linear: Vendor = {
  vendor: 'Linear',
  rules: [
    { id: 'linear-api-key', shapes: ['lin_api_{base62:40}', 'lin_oauth_{hex:64}'] },
    { id: 'linear-client-secret', names: ['linear'], shapes: ['{anyhex:32}'] },
  ],
};
