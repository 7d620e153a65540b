/** Canada and Mexico. */
import { isDay } from '../birth-date.ts';
import { isRepeated, luhn } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

const letters = '0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ';

export const northAmerica: readonly Identifier[] = [
  {
    rule: 'ca-social-insurance-number', about: 'Social insurance number, Canada',
    forms: [['999 999 999', 'medium'], ['999-999-999', 'medium'], ['999999999', 'value']],
    // None begins with 0 or 8.
    valid: (digits) => /^[1-79]/.test(digits) && luhn(digits) && !isRepeated(digits),
    words: ['sin', 'social insurance', 'nas', 'assurance sociale', 'numero d assurance sociale', 'canada'],
    match: ['130 692 544', 'my SIN is 130-692-544', 'NAS: 130692544'],
    ignore: ['046 454 286', '130 692 545', 'x = 130692544', '999 999 999', '130 692 5440', '51 130 692 544'],
  },
  {
    rule: 'mx-population-code', about: 'Population registry code (CURP), Mexico',
    forms: [['AAAA999999AAAAAAX9', 'high']],
    valid: (compact) => /^[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d$/.test(compact) && isDay(compact.slice(4, 6), compact.slice(6, 8), compact.slice(8, 10)) && isPopulationCode(compact),
    words: ['curp', 'clave unica', 'registro de poblacion'],
    match: ['HEGG560427MVZRRL04'],
    ignore: ['HEGG560427MVZRRL05', 'HEGG561327MVZRRL04', 'HEGG560427MVZRRL044'],
  },
];

function isPopulationCode(compact: string): boolean {
  let sum = 0;
  for (let at = 0; at < 17; at += 1) sum += letters.indexOf(compact.charAt(at)) * (18 - at);
  return (10 - sum % 10) % 10 === Number(compact.charAt(17));
}
