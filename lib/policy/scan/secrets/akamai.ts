/** Akamai. */
import type { Vendor } from '../rule.ts';

export const akamai: Vendor = {
  vendor: 'Akamai',
  rules: [
    { id: 'akamai-token', shapes: ['akab-{base36:16}-{base36:16}'], ignores: ['akab-{base36:16}'] },
    { id: 'akamai-client-secret', names: ['akamai'], shapes: ['{base64:43}='] },
  ],
};
