/** Langfuse. */
import type { Vendor } from '../rule.ts';

export const langfuse: Vendor = {
  vendor: 'Langfuse',
  rules: [
    { id: 'langfuse-secret-key', shapes: ['sk-lf-{uuid}'] },
  ],
};
