/** Poland, Czechia and Slovakia, Romania, Switzerland. */
import { isDay, startsWithDay } from '../birth-date.ts';
import { isRepeated, remainder, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

/** The century is added to the month: 80 for the 1800s, nothing for the 1900s, then 20, 40, 60. */
function isPolish(digits: string): boolean {
  const month = Number(digits.slice(2, 4));
  const century = [19, 20, 21, 22, 18][Math.floor(month / 20)];
  return century !== undefined && isDay(digits.slice(0, 2), String(month % 20), digits.slice(4, 6), century) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** 50 is added to the month for women, 20 where a day's numbers ran out. */
function isCzech(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 50 % 20;
  return isDay(digits.slice(0, 2), String(month), digits.slice(4, 6)) && remainder(digits, 11) === 0;
}

function isRomanian(digits: string): boolean {
  const century = [undefined, 19, 19, 18, 18, 20, 20][Number(digits.charAt(0))];
  const check = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
  return century !== undefined && startsWithDay(digits.slice(1), century) && (check === 10 ? 1 : check) === Number(digits.charAt(12));
}

export const centralEurope: readonly Identifier[] = [
  {
    rule: 'pl-pesel', about: 'PESEL number, Poland',
    forms: [['99999999999', 'value']],
    valid: (digits) => isPolish(digits) && !isRepeated(digits),
    words: ['pesel'],
    match: ['44051401359', 'PESEL 44051401359'],
    ignore: ['44051401358', '44131401359', 'x = 44051401359', '11-11-11-11114'],
  },
  {
    rule: 'cz-birth-number', about: 'Birth number, Czechia and Slovakia',
    forms: [['999999/9999', 'medium'], ['9999999999', 'words']],
    valid: isCzech,
    words: ['rodne cislo', 'rc', 'r c', 'birth number'],
    match: ['710319/2745', 'rodné číslo 7103192745'],
    ignore: ['710319/2746', '711319/2745', '7103192745'],
  },
  {
    rule: 'ro-personal-code', about: 'Personal numeric code (CNP), Romania',
    forms: [['9999999999999', 'value']],
    valid: isRomanian,
    words: ['cnp', 'cod numeric personal'],
    match: ['CNP 1800101221144'],
    ignore: ['CNP 1800101221145', 'CNP 1801301221144', '1800101221144'],
  },
  {
    rule: 'ch-social-security-number', about: 'Social security number (AHV), Switzerland',
    forms: [['999.9999.9999.99', 'high'], ['999 9999 9999 99', 'high'], ['9999999999999', 'value']],
    // EAN-13 below the country code 756.
    valid: (digits) => digits.startsWith('756') && weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
    words: ['ahv', 'avs', 'ahv nummer', 'sozialversicherungsnummer', 'numero avs'],
    match: ['756.9217.0769.85', '7569217076985'],
    ignore: ['756.9217.0769.84', '757.9217.0769.85', 'x = 7569217076985'],
  },
];
