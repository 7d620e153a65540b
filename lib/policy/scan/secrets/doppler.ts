/** Doppler. */
import type { Vendor } from '../rule.ts';

export const doppler: Vendor = {
  vendor: 'Doppler',
  rules: [
    {
      id: 'doppler-token',
      shapes: ['dp.pt.{base62:43}', 'dp.st.{base62:43}', 'dp.ct.{base62:43}', 'dp.sa.{base62:43}', 'dp.scim.{base62:43}', 'dp.audit.{base62:43}', 'dp.st.{base64url:2-35}.{base62:43}'],
    },
  ],
};
