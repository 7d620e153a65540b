/** Neon. */
import type { Vendor } from '../rule.ts';

export const neon: Vendor = {
  vendor: 'Neon',
  rules: [
    { id: 'neon-api-key', shapes: ['napi_{base36:64}', 'neon_{base62:60-100}'] },
    { id: 'neon-password', shapes: ['npg_{base62:12}'] },
  ],
};
