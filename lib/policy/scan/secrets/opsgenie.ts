/** Opsgenie. */
import type { Vendor } from '../rule.ts';

export const opsgenie: Vendor = {
  vendor: 'Opsgenie',
  rules: [
    { id: 'opsgenie-api-key', names: ['opsgenie'], shapes: ['{uuid}'] },
  ],
};
