/** Mailgun. */
import type { Vendor } from '../rule.ts';

export const mailgun: Vendor = {
  vendor: 'Mailgun',
  rules: [
    { id: 'mailgun-private-key', shapes: ['key-{anyhex:32}'], ignores: ['monkey-{hex:32}'] },
    { id: 'mailgun-public-key', names: ['mailgun'], shapes: ['pubkey-{anyhex:32}'], confidence: 'low' },
    { id: 'mailgun-signing-key', names: ['mailgun'], shapes: ['{atoh:32}-{atoh:8}-{atoh:8}'] },
  ],
};
