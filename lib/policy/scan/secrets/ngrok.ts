/** ngrok. */
import type { Vendor } from '../rule.ts';

export const ngrok: Vendor = {
  vendor: 'ngrok',
  rules: [
    { id: 'ngrok-token', names: ['ngrok'], shapes: ['{digit:1}{base62:26}_{base62:20-22}'] },
  ],
};
