/** Twilio. */
import type { Vendor } from '../rule.ts';

export const twilio: Vendor = {
  vendor: 'Twilio',
  rules: [
    { id: 'twilio-api-key', shapes: ['SK{anyhex:32}'], ignores: ['SK{anyhex:30}', 'TASK{anyhex:32}'] },
    { id: 'twilio-auth-token', names: ['twilio'], shapes: ['{hex:32}'] },
  ],
};
