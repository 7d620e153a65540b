/** Brazil, South Africa, Nigeria. */
import { startsWithDay } from '../birth-date.ts';
import { isRepeated, luhn, verhoeff, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

function checkDigit(sum: number): number {
  return sum % 11 < 2 ? 0 : 11 - sum % 11;
}

export const south: readonly Identifier[] = [
  {
    rule: 'br-taxpayer-number', about: 'Individual taxpayer number (CPF), Brazil',
    forms: [['999.999.999-99', 'high'], ['99999999999', 'low']],
    valid: (digits) => !isRepeated(digits) && checkDigit(weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2])) === Number(digits.charAt(9))
      && checkDigit(weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === Number(digits.charAt(10)),
    words: ['cpf', 'cadastro de pessoas', 'pessoa fisica'],
    match: ['529.982.247-25', 'CPF 52998224725'],
    ignore: ['529.982.247-26', '111.111.111-11'],
  },
  {
    rule: 'za-identity-number', about: 'Identity number, South Africa',
    forms: [['9999999999999', 'value'], ['999999 9999 999', 'medium']],
    // Day of birth, serial, citizenship, a digit that once said race, Luhn.
    valid: (digits) => startsWithDay(digits) && /^\d{10}[012][89]/.test(digits) && luhn(digits),
    words: ['south african', 'south africa', 'rsa', 'rsa id', 'id number', 'identity number', 'sa id'],
    match: ['9202201234088', 'RSA ID: 0002294321191'],
    ignore: ['9902294321191', '9202201234089', 'x = 9202201234088'],
  },
  {
    rule: 'ng-national-id', about: 'National identification number (NIN), Nigeria',
    forms: [['99999999999', 'words']],
    valid: (digits) => verhoeff(digits) && !isRepeated(digits),
    words: ['nin', 'nigeria', 'nigerian', 'national identification'],
    match: ['NIN 12345678902'],
    ignore: ['12345678902', 'NIN 12345678901'],
  },
];
