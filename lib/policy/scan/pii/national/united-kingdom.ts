/** United Kingdom: National Health Service, national insurance, driving licence. */
import { isRepeated, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

export const unitedKingdom: readonly Identifier[] = [
  {
    rule: 'uk-nhs-number', about: 'National Health Service number, United Kingdom',
    forms: [['999 999 9999', 'medium'], ['999-999-9999', 'medium'], ['9999999999', 'value']],
    valid: (digits) => (11 - weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 === Number(digits.charAt(9)) && !isRepeated(digits),
    words: ['nhs', 'national health', 'health service', 'health number', 'patient'],
    match: ['401 023 2137', 'NHS no: 4010232137', '943-476-5919'],
    ignore: ['401 023 2138', 'x = 4010232137', '4010232137 x', '1401 023 2137'],
  },
  {
    rule: 'uk-national-insurance-number', about: 'National insurance number, United Kingdom',
    forms: [['AA 99 99 99 A', 'high'], ['AA999999A', 'medium'], ['AA 999999 A', 'high'], ['AA-99-99-99-A', 'high'], ['AA 99 99 99A', 'high'], ['AA999999 A', 'high'], ['AA 999999A', 'high']],
    valid: (compact) => /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(compact),
    words: ['nino', 'ni', 'national insurance', 'insurance number', 'ni number'],
    match: ['AA 12 34 56 B', 'TW987654A', 'ni number tw987654a', 'hh 01 02 03 d'],
    ignore: ['AA 12 34 56 H', 'GB 12 34 56 A', 'UV 98 76 54 B', 'sha ab123456c now', 'AA123456BB'],
  },
  {
    rule: 'uk-driving-licence', about: 'Driving licence, United Kingdom',
    forms: [['AXXXX999999XXXAA', 'medium'], ['AXXXX999999XXXXX', 'value'], ['AXXXX 999999 XXXXX', 'medium']],
    // Surname filled up with 9, decade, month (51 to 62 for women), day, year, initials.
    valid: (compact) => /^[A-Z]{1,5}9{0,4}\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9][A-Z]{2}$/.test(compact) && compact.length === 16,
    words: ['driving', 'driver', 'licence', 'license', 'dvla'],
    match: ['MORGA753116SM9IJ', 'FO999512018AA1AB'],
    ignore: ['MORGA793116SM9IJ', 'MORGA753326SM9IJ', 'MORGA7531161M9IJ', 'MORGA753116SM9IJX'],
  },
];
