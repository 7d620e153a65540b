/** RapidAPI. */
import type { Vendor } from '../rule.ts';

export const rapidapi: Vendor = {
  vendor: 'RapidAPI',
  rules: [
    { id: 'rapidapi-key', names: ['rapidapi'], shapes: ['{base64url:50}'] },
  ],
};
