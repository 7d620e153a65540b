/** Zuplo. */
import type { Vendor } from '../rule.ts';

export const zuplo: Vendor = {
  vendor: 'Zuplo',
  rules: [
    { id: 'zuplo-api-key', shapes: ['zpka_{hex:32}_{hex:8}'] },
  ],
};
