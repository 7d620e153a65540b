/**
 * Telephone numbers. International ones begin with `+` and a calling code (ITU-T E.164). National ones are taken where a
 * country's own way of grouping them shows, or where a mobile number stands as a value; other digits only beside a word.
 */
import type { Hit } from '../matcher.ts';
import { isRepeated } from './checksums.ts';
import { isDigit, isWord } from './codes.ts';
import type { Examples, Identifier } from './identifier.ts';
import { isBeside, isWhole, wordPattern } from './surroundings.ts';

const words = ['phone', 'telephone', 'tel', 'mobile', 'cell', 'cellphone', 'call', 'fax', 'whatsapp', 'sms', 'contact', 'telefon', 'telefone', 'telefono', 'telephone', 'handy', 'celular', 'movil', 'portable', 'cep', 'numaram', 'phonenumber', '電話', '电话', '手机', '전화'];
const aboutPhones = wordPattern(words);

/** Calling codes of one and two digits; those of three begin with one of the pairs in `longer` (ITU-T E.164 list). */
const shorter = /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;
const longer = /^(?:2(?:1[1-368]|[2346]\d|5[0-8]|9[01789])|3(?:5[0-9]|7[0-8]|8[0-9])|42[013]|5(?:0\d|9\d)|6(?:7[02-9]|8[0-9]|9[0-2])|8(?:0[08]|5[0235-6]|7[08]|8[0-368])|9(?:6[0-8]|7[0-9]|9[2-68]))/;
const mostDigits = 15;
const longestNumber = 32;

export const internationalExamples: Examples = {
  match: ['+44 20 7946 0958', '+1-202-555-0143', 'call +905321234567', '+55 11 98456 5666', '+1 (415) 555-0132', '"+639171234567"', '+49 (0)30 901820'],
  ignore: ['+0000', 'x+14155550132', '+1 234', '+4111111111111111', '1e+15', '+1 999', '+99912345678'],
};

/** The number after the `+` at `at`. Bare digits at the start of a line may be an added line of a diff. */
export function internationalPhoneAt(text: string, at: number): Hit | undefined {
  if (isWord(text.charCodeAt(at - 1)) || text.charCodeAt(at - 1) === 43) return undefined;
  const end = numberEnd(text, at + 1);
  const digits = text.slice(at + 1, end).replace(/\D/g, '');
  if (digits.length < 8 || digits.length > mostDigits || !isCallable(digits) || !isWhole(text, at, end)) return undefined;
  const grouped = end - at - 1 > digits.length;
  const startsLine = !grouped && text.charCodeAt(at - 1) === 10 && !isBeside(text, at, end, aboutPhones);
  return { rule: 'phone', offset: at, length: end - at, confidence: startsLine ? 'low' : grouped ? 'high' : 'medium' };
}

/** Behind the last digit of groups that single spaces, hyphens, dots or brackets part. */
function numberEnd(text: string, from: number): number {
  let [end, marks] = [from, 0];
  for (let at = from; at < text.length && at - from < longestNumber; at += 1) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) [end, marks] = [at + 1, 0];
    else if ((code === 32 || code === 45 || code === 46 || code === 40 || code === 41) && marks < 2) marks += 1;
    else break;
  }
  return end;
}

function isCallable(digits: string): boolean {
  if (digits.startsWith('1')) return isNanp(digits);
  return !isRepeated(digits.slice(2)) && (longer.test(digits) || shorter.test(digits));
}

/** North American Numbering Plan: area and exchange begin with 2 to 9; `N11` is no area. */
function isNanp(digits: string): boolean {
  return /^1?[2-9](?!11)\d\d[2-9]\d{6}$/.test(digits) && !isRepeated(digits.slice(-9));
}

const plan = (forms: Identifier['forms'], valid: Identifier['valid'], match: readonly string[], ignore: readonly string[]): Identifier =>
  ({ rule: 'phone', about: 'Telephone number', forms, valid: (digits, written) => !isRepeated(digits.slice(-8)) && valid(digits, written), words, beside: 'medium', match, ignore });

/** National numbering plans, by how their numbers are written. */
export const nationalPhones: readonly Identifier[] = [
  plan([['(999) 999-9999', 'high'], ['(999)999-9999', 'high'], ['1-999-999-9999', 'medium'], ['999-999-9999', 'medium'], ['999.999.9999', 'medium'], ['999 999 9999', 'words'], ['9999999999', 'words']], isNanp,
    ['(415) 555-0132', '415-555-0132', '1-415-555-0132', 'cell 4155550132'], ['917-123-4567', '415-155-0132', '4155550132', '415-555-01321', '911-555-0132']),
  plan([['999-9999-9999', 'medium'], ['99999999999', 'words']], (digits) => /^0(?:[5-9]0|1[01679])\d{8}$/.test(digits), ['090-1234-5678', '010-9876-5432'], ['190-1234-5678', 'n = 09012345678']), // Japan, Korea
  plan([['9999 999 99 99', 'medium'], ['9 (999) 999 99 99', 'medium'], ['(999) 999 99 99', 'medium'], ['9 (999) 9999999', 'medium'], ['99999999999', 'words'], ['9999999999', 'words']], (digits) => /^0?[2-5]\d{9}$/.test(digits),
    ['0312 123 45 67', '0 (532) 123 45 67', 'telefon 5321234567'], ['1312 123 45 67', '05321234567x']), // Turkey
  plan([['9999 999 9999', 'value'], ['9999-999-9999', 'value'], ['99999999999', 'value']], (digits) => /^09\d{9}$/.test(digits), ['0917 123 4567', '"09171234567"'], ['9171234567', 'n = 09171234567']), // Philippines
  plan([['99999 999999', 'value'], ['9999 999 9999', 'value'], ['99999999999', 'value']], (digits) => /^07[1-57-9]\d{8}$/.test(digits), ['07700 900123', 'mobile: 07700900123'], ['17700 900123', '0770 090']), // United Kingdom, mobile
  plan([['999 9999 9999', 'words'], ['99999 999999', 'words'], ['9999 999999', 'words']], (digits) => /^0[12]\d{8,9}$/.test(digits), ['tel. 020 7946 0958', 'Tel: 01632 960123'], ['020 7946 0958']), // United Kingdom, fixed
  plan([['999 9999 9999', 'value'], ['99999999999', 'words']], (digits) => /^1[3-9]\d{9}$/.test(digits), ['138 0013 8000', '手机 13800138000'], ['128 0013 8000', '13800138000']), // China, mobile
  plan([['99999 99999', 'value'], ['99999-99999', 'value']], (digits) => /^[6-9]\d{9}$/.test(digits), ['98765 43210'], ['58765 43210', 'x = 98765 43210']), // India, mobile
  plan([['99 99 99 99 99', 'value'], ['99.99.99.99.99', 'value'], ['9999999999', 'words']], (digits) => /^0[1-79]\d{8}$/.test(digits), ['01 42 68 53 00', 'tel 0142685300'], ['11 42 68 53 00']), // France
  plan([['9999 9999999', 'words'], ['9999 99999999', 'words'], ['999 9999999', 'words'], ['999 99999999', 'words'], ['9999/9999999', 'words']], (digits) => /^0[1-9]\d{8,10}$/.test(digits), ['Telefon 0171 1234567', 'Tel. 030 12345678'], ['0171 1234567']), // Germany
  plan([['(99) 99999-9999', 'medium'], ['(99) 9999-9999', 'medium']], (digits) => /^[1-9]{2}9?\d{8}$/.test(digits), ['(11) 98456-5666'], ['(10) 98456-5666']), // Brazil
];
