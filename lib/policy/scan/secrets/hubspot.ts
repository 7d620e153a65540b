/** HubSpot. */
import type { Vendor } from '../rule.ts';

export const hubspot: Vendor = {
  vendor: 'HubSpot',
  rules: [
    { id: 'hubspot-api-key', names: ['hubspot'], shapes: ['{uuid}'] },
    { id: 'hubspot-private-app-token', shapes: ['pat-na1-{uuid}', 'pat-eu1-{uuid}', 'pat-na2-{uuid}'] },
  ],
};
