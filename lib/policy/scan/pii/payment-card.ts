/**
 * Payment cards: an issuer's range, its lengths, Luhn. One in ten numbers passes Luhn by chance and long numbers are
 * mostly something else (moments, record ids), so lengths above sixteen need a word beside them.
 */
import { isRepeated, luhn } from './checksums.ts';
import type { Identifier } from './identifier.ts';

/** First digits and lengths (ISO/IEC 7812 ranges as the issuers publish them). */
const issuers: readonly (readonly [first: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]], // Visa
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]], // Mastercard
  [/^3[47]/, [15]], // American Express
  [/^(?:6011|64[4-9]|65)/, [16, 17, 18, 19]], // Discover
  [/^3(?:0[0-5]|[689])/, [14, 16]], // Diners Club
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]], // JCB
  [/^62/, [16, 17, 18, 19]], // UnionPay
  [/^(?:50|5[6-9]|6304|6759|676[1-3])/, [16, 17, 18, 19]], // Maestro
  [/^(?:60|65|81|82|508)/, [16]], // RuPay
  [/^220[0-4]/, [16, 17, 18, 19]], // Mir
  [/^1/, [15]], // UATP
];

export const paymentCard: Identifier = {
  rule: 'payment-card', about: 'Payment card',
  forms: [
    ['9999 9999 9999 9999 999', 'high'], ['9999-9999-9999-9999', 'high'], ['9999 9999 9999 9999', 'high'], ['9999 999999 99999', 'high'], ['9999-999999-99999', 'high'],
    ['9999 999999 9999', 'high'], ['9999-999999-9999', 'high'], ['9999999999999999', 'medium'], ['999999999999999', 'medium'], ['99999999999999', 'value'], ['9999999999999', 'value'],
    ['99999999999999999', 'words'], ['999999999999999999', 'words'], ['9999999999999999999', 'words'],
  ],
  valid: (digits) => issuers.some(([first, lengths]) => first.test(digits) && lengths.includes(digits.length)) && !isRepeated(digits) && luhn(digits),
  words: ['card', 'credit', 'debit', 'visa', 'mastercard', 'amex', 'american express', 'discover', 'jcb', 'diners', 'maestro', 'unionpay', 'cc', 'pan', 'cardnumber', 'creditcard', 'carte', 'karte', 'kreditkarte', 'tarjeta', 'carta', 'cartao'],
  followed: true,
  match: ['4111 1111 1111 1111', '5555555555554444', '3782-822463-10005', '4111 1111 1111 1111 12/27', 'card: 6011000990139424', 'credit card 4917610000000000003'],
  ignore: ['4111 1111 1111 1112', '94111111111111111123', '0.4111111111111111', '0000 0000 0000 0000', '4111111111111111.5', 'id-4111111111111111', 'a4111111111111111', '9007199254740991', '1732862345678', '4917610000000000003'],
};
