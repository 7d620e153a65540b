/** Trello. */
import type { Vendor } from '../rule.ts';

export const trello: Vendor = {
  vendor: 'Trello',
  rules: [
    { id: 'trello-token', shapes: ['ATTA{hex:64}'] },
    { id: 'trello-key', names: ['trello'], shapes: ['{hex:32}', '{hex:64}'] },
  ],
};
