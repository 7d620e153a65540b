/** Gitter. */
import type { Vendor } from '../rule.ts';

export const gitter: Vendor = {
  vendor: 'Gitter',
  rules: [
    { id: 'gitter-token', names: ['gitter'], shapes: ['{base64url:40}'] },
  ],
};
