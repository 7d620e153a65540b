/** Harness. */
import type { Vendor } from '../rule.ts';

export const harness: Vendor = {
  vendor: 'Harness',
  rules: [
    {
      id: 'harness-token', shapes: ['pat.{base64url:22}.{base62:24}.{base62:20}', 'sat.{base64url:22}.{base62:24}.{base62:20}'],
      ignores: ['pat.{base64url:22}.{base62:24}'],
    },
  ],
};
