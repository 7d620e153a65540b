/** Germany: tax identification, health insurance, pension insurance. */
import { startsWithDay } from '../birth-date.ts';
import { isRepeated, mod1110 } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

export const germany: readonly Identifier[] = [
  {
    rule: 'de-tax-id', about: 'Tax identification number, Germany',
    forms: [['99 999 999 999', 'medium'], ['99999999999', 'value']],
    valid: (digits) => /^[1-9]/.test(digits) && mod1110(digits) && !isRepeated(digits),
    words: ['steuer id', 'steueridentifikationsnummer', 'steuer identifikationsnummer', 'steuerid', 'idnr', 'identifikationsnummer', 'tax id', 'tin', 'steuernummer'],
    match: ['86 095 742 719', 'Steuer-ID: 86095742719'],
    ignore: ['86 095 742 718', 'x = 86095742719', '06 095 742 719', '11111111111'],
  },
  {
    rule: 'de-health-insurance-number', about: 'Health insurance number (KVNR), Germany',
    forms: [['A999999999', 'value']],
    valid: (compact) => !isRepeated(compact.slice(1)) && isCrossSum(letterAsDigits(compact.charAt(0)) + compact.slice(1, 9), Number(compact.charAt(9)), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]),
    words: ['kvnr', 'krankenkasse', 'krankenversicherung', 'krankenversichertennummer', 'versichertennummer', 'versicherten id', 'gesundheitskarte', 'egk', 'health insurance'],
    match: ['A123456780', 'KVNR: A123456780', 'b123456782'],
    ignore: ['A123456781', 'x A123456780 y', 'A12345678', 'A1234567890'],
  },
  {
    rule: 'de-pension-insurance-number', about: 'Pension insurance number, Germany',
    forms: [['99999999A999', 'medium'], ['99 999999 A 999', 'high']],
    valid: isPensionNumber,
    words: ['rvnr', 'rentenversicherung', 'rentenversicherungsnummer', 'sozialversicherungsnummer', 'sozialversicherung', 'versicherungsnummer', 'svnr'],
    match: ['15070649C103', '65 070803 A 019'],
    ignore: ['15070649C100', '15070049C103', '15070649C1030', '15320649C103'],
  },
];

/** Area, day of birth (ddmmyy), letter of the name, serial, check. */
function isPensionNumber(compact: string): boolean {
  const birth = compact.slice(2, 8);
  const isBirth = startsWithDay(birth.slice(4) + birth.slice(2, 4) + birth.slice(0, 2));
  const digits = compact.slice(0, 8) + letterAsDigits(compact.charAt(8)) + compact.slice(9, 11);
  return isBirth && isCrossSum(digits, Number(compact.charAt(11)), [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
}

/** A is 01, B is 02. */
function letterAsDigits(letter: string): string {
  return String(letter.charCodeAt(0) - 64).padStart(2, '0');
}

/** The digits of each product are added up; their sum ends with the check digit. */
function isCrossSum(digits: string, check: number, weights: readonly number[]): boolean {
  const sum = weights.reduce((total, weight, at) => {
    const product = weight * Number(digits.charAt(at));
    return total + Math.floor(product / 10) + product % 10;
  }, 0);
  return sum % 10 === check;
}
