/** Scaleway. */
import type { Vendor } from '../rule.ts';

export const scaleway: Vendor = {
  vendor: 'Scaleway',
  rules: [
    { id: 'scaleway-access-key', shapes: ['SCW{BASE36:17}'] },
    { id: 'scaleway-secret-key', names: ['scaleway', 'scw_secret'], shapes: ['{uuid}'] },
  ],
};
