/** Flutterwave. */
import type { Vendor } from '../rule.ts';

export const flutterwave: Vendor = {
  vendor: 'Flutterwave',
  rules: [
    { id: 'flutterwave-encryption-key', shapes: ['FLWSECK_TEST-{atoh:12}', 'FLWSECK_TEST{atoh:12}'] },
    { id: 'flutterwave-public-key', shapes: ['FLWPUBK_TEST-{atoh:32}-X', 'FLWPUBK-{atoh:32}-X'], confidence: 'low' },
    { id: 'flutterwave-secret-key', shapes: ['FLWSECK_TEST-{atoh:32}-X', 'FLWSECK-{atoh:32}-X'] },
  ],
};
