/** Databricks. */
import type { Vendor } from '../rule.ts';

export const databricks: Vendor = {
  vendor: 'Databricks',
  rules: [
    { id: 'databricks-token', shapes: ['dapi{hex:32}', 'dapi{hex:32}-{digit:1}', 'dkea{hex:32}', 'dose{hex:32}'], ignores: ['dapi{hex:31}g', 'dapi{hex:30}'] },
  ],
};
