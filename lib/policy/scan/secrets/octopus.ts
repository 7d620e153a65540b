/** Octopus Deploy. */
import type { Vendor } from '../rule.ts';

export const octopus: Vendor = {
  vendor: 'Octopus Deploy',
  rules: [
    { id: 'octopus-api-key', shapes: ['API-{BASE36:26}'], ignores: ['api-{hex:26}.gif'] },
  ],
};
