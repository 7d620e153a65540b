/** Drone CI. */
import type { Vendor } from '../rule.ts';

export const drone: Vendor = {
  vendor: 'Drone CI',
  rules: [
    { id: 'drone-token', names: ['droneci', 'drone_'], shapes: ['{base62:32}'] },
  ],
};
