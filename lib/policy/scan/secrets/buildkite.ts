/** Buildkite. */
import type { Vendor } from '../rule.ts';

export const buildkite: Vendor = {
  vendor: 'Buildkite',
  rules: [
    { id: 'buildkite-token', shapes: ['bkua_{hex:40}', 'bkct_{base62:40-64}'] },
  ],
};
