/** ClickHouse Cloud. */
import type { Vendor } from '../rule.ts';

export const clickhouse: Vendor = {
  vendor: 'ClickHouse Cloud',
  rules: [
    { id: 'clickhouse-api-secret', shapes: ['4b1d{base62:38}'], ignores: ['4b1d{base62:37}', '4b1dXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX'] },
  ],
};
