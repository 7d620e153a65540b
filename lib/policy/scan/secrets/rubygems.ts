/** RubyGems. */
import type { Vendor } from '../rule.ts';

export const rubygems: Vendor = {
  vendor: 'RubyGems',
  rules: [
    { id: 'rubygems-token', shapes: ['rubygems_{hex:48}'], ignores: ['rubygems_{hex:40}'] },
  ],
};
