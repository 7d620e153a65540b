/** Freemius. */
import type { Vendor } from '../rule.ts';

export const freemius: Vendor = {
  vendor: 'Freemius',
  rules: [
    { id: 'freemius-secret-key', names: ['secret_key'], shapes: ['sk_{graph:29}'], ignores: ['"other_key" => "sk_{base36:10}"'] },
  ],
};
