/** Asana. */
import type { Vendor } from '../rule.ts';

export const asana: Vendor = {
  vendor: 'Asana',
  rules: [
    { id: 'asana-client-id', names: ['asana'], shapes: ['{digit:16}'], confidence: 'low' },
    { id: 'asana-client-secret', names: ['asana'], shapes: ['{base62:32}'] },
    { id: 'asana-personal-access-token', names: ['asana'], shapes: ['{digit:1}/{digit:16}:{hex:32}', '{digit:1}/{digit:16}/{digit:16}:{hex:32}'] },
  ],
};
