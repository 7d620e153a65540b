/** Alchemy. */
import type { Vendor } from '../rule.ts';

export const alchemy: Vendor = {
  vendor: 'Alchemy',
  rules: [
    { id: 'alchemy-url', shapes: ['alchemy.com/v2/{base64url:32}', 'alchemyapi.io/v2/{base64url:32}'] },
    { id: 'alchemy-api-key', names: ['alchemy'], shapes: ['{base64url:32}'] },
  ],
};
