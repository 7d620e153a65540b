/** OneSignal. */
import type { Vendor } from '../rule.ts';

export const onesignal: Vendor = {
  vendor: 'OneSignal',
  rules: [
    { id: 'onesignal-key', shapes: ['os_v2_app_{base36:80-110}', 'os_v2_org_{base36:80-110}'] },
  ],
};
