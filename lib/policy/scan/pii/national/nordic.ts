/** Finland, Sweden, Norway, Denmark: the day of birth, a number of that day, a check. */
import { isDay, startsWithDay } from '../birth-date.ts';
import { luhn, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

const finnish = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** The sign between says the century (since 2023 also by letters); the check counts day and number in base 31. */
function isFinnish(_compact: string, written: string): boolean {
  const text = written.toUpperCase();
  const parts = /^(\d{2})(\d{2})(\d{2})([-+A-FU-Y])(\d{3})([0-9A-Y])$/.exec(text);
  if (parts === null) return false;
  const [, day = '', month = '', year = '', sign = '', number = '', check = ''] = parts;
  const century = sign === '+' ? 18 : /[A-F]/.test(sign) ? 20 : 19;
  return isDay(year, month, day, century) && Number(number) >= 2 && finnish.charAt(Number(day + month + year + number) % 31) === check;
}

/** 60 is added to the day in coordination numbers. */
function isSwedish(digits: string): boolean {
  const [century, rest] = digits.length === 12 ? [Number(digits.slice(0, 2)), digits.slice(2)] : [undefined, digits];
  if (century !== undefined && (century < 18 || century > 20)) return false;
  const day = Number(rest.slice(4, 6));
  return isDay(rest.slice(0, 2), rest.slice(2, 4), String(day > 60 ? day - 60 : day), century) && luhn(rest);
}

/** Two checks modulo 11. 40 is added to the day in D numbers. */
function isNorwegian(digits: string): boolean {
  const day = Number(digits.slice(0, 2));
  if (!isDay(digits.slice(4, 6), digits.slice(2, 4), String(day > 40 ? day - 40 : day))) return false;
  return weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 && weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0;
}

export const nordic: readonly Identifier[] = [
  {
    rule: 'fi-personal-identity-code', about: 'Personal identity code, Finland',
    forms: [['999999-999X', 'high'], ['999999+999X', 'high'], ['999999A999X', 'high']],
    valid: isFinnish,
    words: ['hetu', 'henkilotunnus', 'personbeteckning', 'personal identity'],
    match: ['131052-308T', '020594X903P', 'hetu 131052-308t'],
    ignore: ['131052-308U', '320152-308T', '131052.308T', '012245A110G', '131052-308TX'],
  },
  {
    rule: 'se-personal-identity-number', about: 'Personal identity number, Sweden',
    forms: [['999999-9999', 'medium'], ['999999+9999', 'medium'], ['99999999-9999', 'high'], ['999999999999', 'value'], ['9999999999', 'value']],
    valid: isSwedish,
    words: ['personnummer', 'personnr', 'pnr', 'samordningsnummer', 'personal identity'],
    match: ['811228-9874', '198112289874', 'pnr 8112289874', '19811228-9874'],
    ignore: ['811228-9875', '811328-9874', '19000309-3393', 'x = 8112289874', 'x = 198112289874'],
  },
  {
    rule: 'no-birth-number', about: 'Birth number, Norway',
    forms: [['999999 99999', 'medium'], ['999999-99999', 'medium'], ['99999999999', 'low']],
    valid: isNorwegian,
    words: ['fodselsnummer', 'fødselsnummer', 'fnr', 'personnummer', 'birth number'],
    match: ['011299 55151', 'fnr 01129955151'],
    ignore: ['011299 55152', '011399 55151'],
  },
  {
    rule: 'dk-personal-id', about: 'Personal identification number (CPR), Denmark',
    forms: [['999999-9999', 'words'], ['9999999999', 'words']],
    // Since 2007 its last digit checks nothing any more.
    valid: (digits) => startsWithDay(digits.slice(4, 6) + digits.slice(2, 4) + digits.slice(0, 2)),
    words: ['cpr', 'cpr nummer', 'personnummer', 'cprnr'],
    beside: 'medium',
    match: ['CPR 211062-5629'],
    ignore: ['211062-5629', 'CPR 321062-5629'],
  },
];
