/** Stripe. */
import type { Vendor } from '../rule.ts';

export const stripe: Vendor = {
  vendor: 'Stripe',
  rules: [
    {
      id: 'stripe-key', shapes: ['sk_live_{base62:10-247}', 'sk_test_{base62:10-247}', 'sk_prod_{base62:10-247}', 'rk_live_{base62:10-247}', 'rk_test_{base62:10-247}', 'rk_prod_{base62:10-247}'],
      ignores: ['sk_live_{base62:6}', 'pk_live_{base62:24}'],
    },
    { id: 'stripe-webhook-secret', shapes: ['whsec_{base64:24-100}{pad:0-2}'] },
  ],
};
