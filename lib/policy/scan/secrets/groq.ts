/** Groq. */
import type { Vendor } from '../rule.ts';

export const groq: Vendor = {
  vendor: 'Groq',
  rules: [
    { id: 'groq-api-key', shapes: ['gsk_{base62:52}'] },
  ],
};
