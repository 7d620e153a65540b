/** Cerebras. */
import type { Vendor } from '../rule.ts';

export const cerebras: Vendor = {
  vendor: 'Cerebras',
  rules: [
    { id: 'cerebras-api-key', shapes: ['csk-{base36:48}'] },
  ],
};
