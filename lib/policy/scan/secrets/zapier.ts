/** Zapier. */
import type { Vendor } from '../rule.ts';

export const zapier: Vendor = {
  vendor: 'Zapier',
  rules: [
    { id: 'zapier-webhook', shapes: ['hooks.zapier.com/hooks/catch/{digit:6-9}/{base62:6-8}'] },
  ],
};
