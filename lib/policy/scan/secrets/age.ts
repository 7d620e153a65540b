/** age. Keys of the file encryption tool, Bech32 of 32 bytes. */
import type { Vendor } from '../rule.ts';

export const age: Vendor = {
  vendor: 'age',
  rules: [
    { id: 'age-secret-key', shapes: ['AGE-SECRET-KEY-1{bech32:58}'], ignores: ['age1{base36:58}'] },
  ],
};
