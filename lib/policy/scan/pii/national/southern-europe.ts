/** Spain, Italy, France. */
import { remainder } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

const spanish = 'TRWAGMYFPDXBNJZSQVHLCKE';

const spain: readonly Identifier[] = [
  {
    rule: 'es-tax-id', about: 'Identity and tax number (DNI, NIF), Spain',
    forms: [['99999999A', 'medium'], ['99999999-A', 'medium'], ['9999999A', 'value'], ['9999999-A', 'value'], ['99.999.999-A', 'high'], ['99 999 999 A', 'medium']],
    valid: (compact) => Number(compact.slice(0, -1)) > 0 && spanish.charAt(Number(compact.slice(0, -1)) % 23) === compact.slice(-1),
    words: ['nif', 'dni', 'documento nacional', 'identidad', 'identificacion fiscal', 'numero de identificacion'],
    match: ['12345678Z', '55555555-K DNI', '1111111-G', '12.345.678-Z'],
    ignore: ['12345678A', '12345678ZZ', 'x 12345678z y', '112345678Z'],
  },
  {
    rule: 'es-foreigner-id', about: 'Foreigner\'s identity number (NIE), Spain',
    forms: [['A9999999A', 'medium'], ['A9999999-A', 'medium'], ['A-9999999-A', 'high']],
    valid: (compact) => /^[XYZ]/.test(compact) && spanish.charAt(Number(String('XYZ'.indexOf(compact.charAt(0))) + compact.slice(1, 8)) % 23) === compact.charAt(8),
    words: ['nie', 'extranjero', 'identificacion de extranjero', 'identificacion'],
    match: ['X9613851N', 'Y8063915-Z', 'z8078221m'],
    ignore: ['X9613851M', 'W8063915Q', 'Y806391Q', 'a x9613851n b'],
  },
];

/** What a digit, or a letter by its place in the alphabet, counts in the first, third, fifth … place (decree of 23 December 1976). */
const inOddPlaces = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function isFiscalCode(compact: string): boolean {
  let sum = 0;
  for (let at = 0; at < 15; at += 1) {
    const value = Number.parseInt(compact.charAt(at), 36);
    const own = value > 9 ? value - 10 : value;
    sum += at % 2 === 0 ? inOddPlaces[own] ?? 0 : own;
  }
  return String.fromCharCode(65 + sum % 26) === compact.charAt(15);
}

const italy: readonly Identifier[] = [{
  rule: 'it-fiscal-code', about: 'Fiscal code, Italy',
  forms: [['AAAAAAXXAXXAXXXA', 'medium'], ['AAAAAA XXAXX AXXXA', 'medium'], ['AAA AAA XXAXX AXXXA', 'medium']],
  // Where two codes would be the same, a letter stands for a digit. Sixteen characters with a day in them tell enough: one that was mistyped is still somebody's.
  valid: (compact) => /^[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-7L-NP-V][0-9L-NP-V][A-Z][0-9L-NP-V]{3}[A-Z]$/.test(compact),
  proof: isFiscalCode,
  words: ['codice fiscale', 'cf', 'fiscal code'],
  match: ['RSSMRA85T10A562S', 'rssmra85t10a562s'],
  ignore: ['RSSMRA85Z10A562S', 'RSSMRA85T90A562S', 'RSSMRA85T10A562SX', 'A55AAA00B11C333N'],
}];

/** Sex, year, month, department, commune, order, and a key that is 97 less the remainder. Corsica's 2A and 2B count as 19 and 18. */
function isFrenchNumber(compact: string): boolean {
  if (!/^[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{8}$/.test(compact)) return false;
  const body = compact.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return 97 - remainder(body, 97) === Number(compact.slice(13));
}

const france: readonly Identifier[] = [{
  rule: 'fr-social-security-number', about: 'Social security number (NIR), France',
  forms: [['9 99 99 9X 999 999 99', 'high'], ['999999X99999999', 'medium'], ['999999X999999 99', 'high']],
  valid: isFrenchNumber,
  words: ['nir', 'securite sociale', 'insee', 'carte vitale', 'numero de secu'],
  match: ['2 55 08 14 168 025 38', '255081416802538', 'NIR 2550814168025 38'],
  ignore: ['2 55 08 14 168 025 39', '255081416802539', '955081416802538', '2550814168025381'],
}];

export const southernEurope: readonly Identifier[] = [...spain, ...italy, ...france];
