/** Private AI. */
import type { Vendor } from '../rule.ts';

export const privateAi: Vendor = {
  vendor: 'Private AI',
  rules: [
    { id: 'private-ai-token', names: ['privateai', 'private_ai', 'private-ai'], shapes: ['{base36:32}'] },
  ],
};
