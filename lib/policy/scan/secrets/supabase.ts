/** Supabase. */
import type { Vendor } from '../rule.ts';

export const supabase: Vendor = {
  vendor: 'Supabase',
  rules: [
    { id: 'supabase-token', shapes: ['sbp_{hex:40}', 'sb_secret_{base64url:22}_{base64url:8}'] },
  ],
};
