/** Grafana. */
import type { Vendor } from '../rule.ts';

export const grafana: Vendor = {
  vendor: 'Grafana',
  rules: [
    { id: 'grafana-api-key', shapes: ['eyJrIjoi{base64:70-400}{pad:0-3}'] },
    { id: 'grafana-cloud-token', shapes: ['glc_{base64:32-400}{pad:0-3}'], ignores: ['GLC_CreateLightmapTexturesIndividual(void)'] },
    { id: 'grafana-service-account-token', shapes: ['glsa_{base62:32}_{anyhex:8}'], ignores: ['glsa_{base62:32}'] },
  ],
};
