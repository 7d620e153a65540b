/** OpenRouter. */
import type { Vendor } from '../rule.ts';

export const openrouter: Vendor = {
  vendor: 'OpenRouter',
  rules: [
    { id: 'openrouter-key', shapes: ['sk-or-v1-{hex:64}'] },
  ],
};
