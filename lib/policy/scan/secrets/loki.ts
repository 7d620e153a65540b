/** Loki. The keys of this product. */
import { crcOfAll } from '../checksum.ts';
import type { Vendor } from '../rule.ts';

export const loki: Vendor = {
  vendor: 'Loki',
  rules: [
    { id: 'loki-key', shapes: ['loki_{base62:36}'], checksum: crcOfAll, ignores: ['loki_{base62:20}', 'loki_tokens_consumed_total'] },
  ],
};
