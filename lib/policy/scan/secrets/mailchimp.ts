/** Mailchimp. */
import type { Vendor } from '../rule.ts';

export const mailchimp: Vendor = {
  vendor: 'Mailchimp',
  rules: [
    { id: 'mailchimp-api-key', shapes: ['{anyhex:32}-us{digit:1-2}'] },
    { id: 'mandrill-api-key', shapes: ['md-{base64url:22}'] },
  ],
};
