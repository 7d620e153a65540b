/** IBM Cloud. */
import type { Vendor } from '../rule.ts';

export const ibmCloud: Vendor = {
  vendor: 'IBM Cloud',
  rules: [
    { id: 'ibm-cloud-api-key', names: ['ibm', 'watson', 'bluemix'], shapes: ['{base64url:44}'] },
  ],
};
