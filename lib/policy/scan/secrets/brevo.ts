/** Brevo (Sendinblue). */
import type { Vendor } from '../rule.ts';

export const brevo: Vendor = {
  vendor: 'Brevo (Sendinblue)',
  rules: [
    { id: 'brevo-api-key', shapes: ['xkeysib-{hex:64}-{base62:16}'], ignores: ['xkeysib-{hex:64}'] },
    { id: 'brevo-smtp-key', shapes: ['xsmtpsib-{hex:64}-{base62:16}'] },
  ],
};
