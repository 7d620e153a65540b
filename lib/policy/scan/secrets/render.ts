/** Render. */
import type { Vendor } from '../rule.ts';

export const render: Vendor = {
  vendor: 'Render',
  rules: [
    { id: 'render-api-key', shapes: ['rnd_{base62:28-32}'] },
  ],
};
