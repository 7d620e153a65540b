/** DeepSeek. */
import type { Vendor } from '../rule.ts';

export const deepseek: Vendor = {
  vendor: 'DeepSeek',
  rules: [
    { id: 'deepseek-api-key', names: ['deepseek'], shapes: ['sk-{hex:32}'] },
  ],
};
