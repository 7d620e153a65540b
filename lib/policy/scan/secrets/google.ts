/** Google. */
import type { Vendor } from '../rule.ts';

export const google: Vendor = {
  vendor: 'Google',
  rules: [
    { id: 'google-api-key', shapes: ['AIza{base64url:35}'], ignores: ['AIza{base64url:34}', 'AIzaSyabcdefghijklmnopqrstuvwxyz1234567'] },
    { id: 'google-oauth-secret', shapes: ['GOCSPX-{base64url:28}'] },
    { id: 'google-oauth-token', shapes: ['ya29.{base64url:40-}', 'ya29.{base62:1}.{base64url:40-}'] },
    { id: 'google-refresh-token', shapes: ['1//0{base64url:38-200}'] },
    { id: 'google-hmac-key', shapes: ['GOOG1E{BASE36:55}', 'GOOG{BASE36:20}'] },
  ],
};
