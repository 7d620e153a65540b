/** Honeycomb. */
import type { Vendor } from '../rule.ts';

export const honeycomb: Vendor = {
  vendor: 'Honeycomb',
  rules: [
    { id: 'honeycomb-key', shapes: ['hcaik_{base36:58}', 'hcxik_{base36:58}', 'hcaik_{base62:40-64}'] },
    { id: 'honeycomb-legacy-key', names: ['honeycomb'], shapes: ['{hex:32}', '{base62:22}'] },
  ],
};
