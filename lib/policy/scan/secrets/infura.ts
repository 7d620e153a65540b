/** Infura. */
import type { Vendor } from '../rule.ts';

export const infura: Vendor = {
  vendor: 'Infura',
  rules: [
    { id: 'infura-url', shapes: ['infura.io/v3/{hex:32}'] },
    { id: 'infura-key', names: ['infura'], shapes: ['{hex:32}'] },
  ],
};
