/** Prefect. */
import type { Vendor } from '../rule.ts';

export const prefect: Vendor = {
  vendor: 'Prefect',
  rules: [
    { id: 'prefect-api-key', shapes: ['pnu_{base62:36}', 'pnb_{base62:36}'] },
  ],
};
