/** Dynatrace. */
import type { Vendor } from '../rule.ts';

export const dynatrace: Vendor = {
  vendor: 'Dynatrace',
  rules: [
    {
      id: 'dynatrace-token', shapes: ['dt0c01.{base62:24}.{base62:64}', 'dt0s01.{base62:24}.{base62:64}', 'dt0s02.{base62:8}.{base62:64}'],
      ignores: ['dt0c01.{base62:24}'],
    },
  ],
};
