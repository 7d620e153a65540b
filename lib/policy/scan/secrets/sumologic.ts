/** Sumo Logic. */
import type { Vendor } from '../rule.ts';

export const sumologic: Vendor = {
  vendor: 'Sumo Logic',
  rules: [
    { id: 'sumologic-access-id', names: ['sumo', 'sumologic'], shapes: ['su{base62:12}'], ignores: ['sumOfExposures = sumOfExposures;'] },
    { id: 'sumologic-access-key', names: ['sumo', 'sumologic'], shapes: ['{base62:64}'] },
  ],
};
