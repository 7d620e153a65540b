/** SendGrid. */
import type { Vendor } from '../rule.ts';

export const sendgrid: Vendor = {
  vendor: 'SendGrid',
  rules: [
    { id: 'sendgrid-key', shapes: ['SG.{base64url:22}.{base64url:43}', 'SG.{dotted:66}'], ignores: ['SG.{base64url:22}'] },
  ],
};
