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
/** North American Numbering Plan: area and exchange begin with 2 to 9; `N11` is no area. */
const nanp = /^1?[2-9](?!11)\d\d[2-9]\d{6}$/;
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
  if (isRepeated(digits.slice(2))) return false;
  return digits.startsWith('1') ? nanp.test(digits) : (longer.test(digits) || shorter.test(digits));
}

/** A national numbering plan: how its numbers are written, which of them there are. */
function plan(forms: Identifier['forms'], numbers: RegExp, match: readonly string[], ignore: readonly string[]): Identifier {
  return { rule: 'phone', about: 'Telephone number', forms, valid: (digits) => !isRepeated(digits.slice(-8)) && numbers.test(digits), words, beside: 'medium', match, ignore };
}

const northAmerica = plan(
  [['(999) 999-9999', 'high'], ['(999)999-9999', 'high'], ['1-999-999-9999', 'medium'], ['999-999-9999', 'medium'], ['999.999.9999', 'medium'], ['999 999 9999', 'words'], ['9999999999', 'words']],
  nanp,
  ['(415) 555-0132', '415-555-0132', '1-415-555-0132', 'cell 4155550132'], ['917-123-4567', '415-155-0132', '4155550132', '415-555-01321', '911-555-0132'],
);
const japanAndKorea = plan([['999-9999-9999', 'medium'], ['99999999999', 'words']], /^0(?:[5-9]0|1[01679])\d{8}$/, ['090-1234-5678', '010-9876-5432'], ['190-1234-5678', 'n = 09012345678']);
const turkey = plan(
  [['9999 999 99 99', 'medium'], ['9 (999) 999 99 99', 'medium'], ['(999) 999 99 99', 'medium'], ['9 (999) 9999999', 'medium'], ['99999999999', 'words'], ['9999999999', 'words']],
  /^0?[2-5]\d{9}$/,
  ['0312 123 45 67', '0 (532) 123 45 67', 'telefon 5321234567'], ['1312 123 45 67', '05321234567x'],
);
const philippinesMobile = plan([['9999 999 9999', 'value'], ['9999-999-9999', 'value'], ['99999999999', 'value']], /^09\d{9}$/, ['0917 123 4567', '"09171234567"'], ['9171234567', 'n = 09171234567']);
const britishMobile = plan([['99999 999999', 'value'], ['9999 999 9999', 'value'], ['99999999999', 'value']], /^07[1-57-9]\d{8}$/, ['07700 900123', 'mobile: 07700900123'], ['17700 900123', '0770 090']);
const britishFixed = plan([['999 9999 9999', 'words'], ['99999 999999', 'words'], ['9999 999999', 'words']], /^0[12]\d{8,9}$/, ['tel. 020 7946 0958', 'Tel: 01632 960123'], ['020 7946 0958']);
const chineseMobile = plan([['999 9999 9999', 'value'], ['99999999999', 'words']], /^1[3-9]\d{9}$/, ['138 0013 8000', '手机 13800138000'], ['128 0013 8000', '13800138000']);
const indianMobile = plan([['99999 99999', 'value'], ['99999-99999', 'value']], /^[6-9]\d{9}$/, ['98765 43210'], ['58765 43210', 'x = 98765 43210']);
const france = plan([['99 99 99 99 99', 'value'], ['99.99.99.99.99', 'value'], ['9999999999', 'words']], /^0[1-79]\d{8}$/, ['01 42 68 53 00', 'tel 0142685300'], ['11 42 68 53 00']);
const germany = plan(
  [['9999 9999999', 'words'], ['9999 99999999', 'words'], ['999 9999999', 'words'], ['999 99999999', 'words'], ['9999/9999999', 'words']],
  /^0[1-9]\d{8,10}$/,
  ['Telefon 0171 1234567', 'Tel. 030 12345678'], ['0171 1234567'],
);
const brazil = plan([['(99) 99999-9999', 'medium'], ['(99) 9999-9999', 'medium']], /^[1-9]{2}9?\d{8}$/, ['(11) 98456-5666'], ['(10) 98456-5666']);

export const nationalPhones: readonly Identifier[] = [northAmerica, japanAndKorea, turkey, philippinesMobile, britishMobile, britishFixed, chineseMobile, indianMobile, france, germany, brazil];
