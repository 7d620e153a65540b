/** NuGet. */
import type { Vendor } from '../rule.ts';

export const nuget: Vendor = {
  vendor: 'NuGet',
  rules: [
    { id: 'nuget-api-key', shapes: ['oy2{base36:43}'] },
  ],
};
