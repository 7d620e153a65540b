/** Dropbox. */
import type { Vendor } from '../rule.ts';

export const dropbox: Vendor = {
  vendor: 'Dropbox',
  rules: [
    { id: 'dropbox-app-secret', names: ['dropbox'], shapes: ['{base62:15}'] },
    { id: 'dropbox-long-lived-token', names: ['dropbox'], shapes: ['{base62:11}AAAAAAAAAA{padded:43}'] },
    { id: 'dropbox-short-lived-token', names: ['dropbox'], shapes: ['sl.{padded:135}'] },
    { id: 'dropbox-access-token', shapes: ['sl.u.{base64url:120-1400}', 'sl.B{base64url:130-1400}'] },
  ],
};
