/** Meta. */
import type { Vendor } from '../rule.ts';

export const facebook: Vendor = {
  vendor: 'Meta',
  rules: [
    { id: 'facebook-app-secret', names: ['facebook'], shapes: ['{anyhex:32}'] },
    { id: 'facebook-access-token', names: ['facebook', 'fb_'], shapes: ['{digit:15-16}|{base64url:27-40}', '{digit:15-16}%7C{base64url:27-40}'] },
    { id: 'facebook-page-access-token', shapes: ['EAAM{base62:100-}', 'EAAC{base62:100-}', 'EAAG{base62:100-}', 'EAAB{base62:100-}'] },
  ],
};
