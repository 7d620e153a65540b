/** India: Aadhaar, permanent account number, and the tax number of goods and services, which holds one. */
import { isRepeated, verhoeff } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

/** The fourth letter says what sort of holder it is. */
const account = /^[A-Z]{3}[ABCEFGHJKLPT][A-Z]\d{4}[A-Z]$/;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export const india: readonly Identifier[] = [
  {
    rule: 'in-aadhaar', about: 'Aadhaar number, India',
    forms: [['9999 9999 9999', 'medium'], ['9999-9999-9999', 'medium'], ['9999:9999:9999', 'medium'], ['999999999999', 'value']],
    valid: (digits) => /^[2-9]/.test(digits) && verhoeff(digits) && !isRepeated(digits) && digits !== [...digits].reverse().join(''),
    words: ['aadhaar', 'aadhar', 'uidai', 'आधार'],
    match: ['3123 4567 8909', 'aadhaar 312345678909', '3123-4567-8909'],
    ignore: ['3123 4567 8908', '1123 4567 8909', 'x = 312345678909', '3123 4567 8909 1234'],
  },
  {
    rule: 'in-permanent-account-number', about: 'Permanent account number (PAN), India',
    forms: [['AAAAA9999A', 'medium']],
    valid: (compact) => account.test(compact),
    words: ['pan', 'permanent account', 'income tax'],
    match: ['ABCPD1234Z', 'pan: abcpd1234z'],
    ignore: ['ABCND1234Z', 'see abcpd1234z now', 'ABCPD12345', 'ABCPD1234ZZ'],
  },
  {
    rule: 'in-goods-services-tax-number', about: 'Goods and services tax number (GSTIN), India',
    forms: [['99AAAAA9999AXAX', 'medium']],
    valid: (compact) => /^(?:0[1-9]|[12]\d|3[0-7]|9[79])[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/.test(compact),
    proof: isTaxNumber,
    words: ['gst', 'gstin', 'goods and services'],
    match: ['27AAPFU0939F1ZV', '27ABCDE1234F1Z5'],
    ignore: ['38AAPFU0939F1ZV', '27AAPFU0939F1Z', '27AAPFU0939F1ZVX', '27AAPFU0939F1YV'],
  },
];

/** Alternate weights of one and two in base 36. */
function isTaxNumber(compact: string): boolean {
  let sum = 0;
  for (let at = 0; at < 14; at += 1) {
    const product = alphabet.indexOf(compact.charAt(at)) * (at % 2 + 1);
    sum += Math.floor(product / 36) + product % 36;
  }
  return alphabet.charAt((36 - sum % 36) % 36) === compact.charAt(14);
}
