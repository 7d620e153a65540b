/** Elastic. */
import type { Vendor } from '../rule.ts';

export const elastic: Vendor = {
  vendor: 'Elastic',
  rules: [
    { id: 'elastic-api-key', names: ['elastic_api', 'elasticsearch_api', 'elastic_cloud'], shapes: ['{base64:60}{pad:0-2}', '{base64:58}=='] },
    { id: 'elastic-cloud-key', shapes: ['essu_{base64:60-200}{pad:0-2}'] },
  ],
};
