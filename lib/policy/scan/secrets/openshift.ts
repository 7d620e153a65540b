/** OpenShift. */
import type { Vendor } from '../rule.ts';

export const openshift: Vendor = {
  vendor: 'OpenShift',
  rules: [
    { id: 'openshift-token', shapes: ['sha256~{base64url:43}'] },
  ],
};
