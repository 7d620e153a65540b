/** Figma. */
import type { Vendor } from '../rule.ts';

export const figma: Vendor = {
  vendor: 'Figma',
  rules: [
    { id: 'figma-token', shapes: ['figd_{base64url:40}', 'figo_{base64url:40}', 'figoh_{base64url:40}'] },
    { id: 'figma-legacy-token', names: ['figma'], shapes: ['{digit:6}-{uuid}'] },
  ],
};
