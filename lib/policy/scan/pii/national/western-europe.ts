/** Belgium, the Netherlands, Ireland. */
import { isDay } from '../birth-date.ts';
import { isRepeated, remainder, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

/** The key is 97 less the remainder of the first nine digits, for people born since 2000 of those digits after a 2. */
function isBelgian(digits: string): boolean {
  const [body, key] = [digits.slice(0, 9), Number(digits.slice(9))];
  const month = Number(digits.slice(2, 4)) % 20;
  return isDay(digits.slice(0, 2), String(month), digits.slice(4, 6)) && (97 - remainder(body, 97) === key || 97 - remainder(`2${body}`, 97) === key);
}

/** Weights 8 to 2, and 9 for a second letter; the remainder modulo 23 is the letter. */
function isIrish(compact: string): boolean {
  const second = compact.charAt(8);
  const sum = weighted(compact, [8, 7, 6, 5, 4, 3, 2]) + (second === '' || second === 'W' ? 0 : (second.charCodeAt(0) - 64) * 9);
  return 'WABCDEFGHIJKLMNOPQRSTUV'.charAt(sum % 23) === compact.charAt(7) && /^[A-IW]?$/.test(second);
}

export const westernEurope: readonly Identifier[] = [
  {
    rule: 'be-national-number', about: 'National register number, Belgium',
    forms: [['99.99.99-999.99', 'high'], ['99 99 99 999 99', 'medium'], ['99999999999', 'low']],
    valid: isBelgian,
    words: ['rijksregisternummer', 'registre national', 'niss', 'insz', 'numero national', 'national number'],
    match: ['85.07.30-033.28', 'NISS 85073003328'],
    ignore: ['85.07.30-033.29', '85.17.30-033.28'],
  },
  {
    rule: 'nl-citizen-service-number', about: 'Citizen service number (BSN), Netherlands',
    forms: [['999999999', 'words'], ['9999.99.999', 'words'], ['999 999 999', 'words']],
    valid: (digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !isRepeated(digits),
    words: ['bsn', 'burgerservicenummer', 'sofinummer', 'citizen service'],
    match: ['BSN 111222333'],
    ignore: ['111222333', 'BSN 111222334'],
  },
  {
    rule: 'ie-public-service-number', about: 'Personal public service number (PPS), Ireland',
    forms: [['9999999A', 'value'], ['9999999AA', 'value']],
    valid: isIrish,
    words: ['pps', 'ppsn', 'pps number', 'public service'],
    match: ['6433435F', 'PPSN 6433435F'],
    ignore: ['6433435E', 'x 6433435F y'],
  },
];
