/** Heroku. */
import type { Vendor } from '../rule.ts';

export const heroku: Vendor = {
  vendor: 'Heroku',
  rules: [
    { id: 'heroku-api-key', names: ['heroku'], shapes: ['{uuid}'] },
    { id: 'heroku-api-key-v2', shapes: ['HRKU-AA{base64url:58}'] },
  ],
};
