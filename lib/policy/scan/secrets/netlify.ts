/** Netlify. */
import type { Vendor } from '../rule.ts';

export const netlify: Vendor = {
  vendor: 'Netlify',
  rules: [
    { id: 'netlify-token', names: ['netlify'], shapes: ['{padded:40-46}'] },
    { id: 'netlify-personal-access-token', shapes: ['nfp_{base62:36}'] },
  ],
};
