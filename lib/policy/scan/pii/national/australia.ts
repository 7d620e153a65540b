/** Australia: business, company, tax file and Medicare numbers. A sole trader's business number is a person's. */
import { isRepeated, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

export const australia: readonly Identifier[] = [
  {
    rule: 'au-business-number', about: 'Business number (ABN), Australia',
    forms: [['99 999 999 999', 'medium'], ['99999999999', 'low']],
    valid: (digits) => /^[1-9]/.test(digits) && (weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0,
    words: ['abn', 'australian business', 'business number'],
    match: ['51 824 753 556', 'ABN 51824753556'],
    ignore: ['51 824 753 557', '00000000560', '51824753556AF'],
  },
  {
    rule: 'au-company-number', about: 'Company number (ACN), Australia',
    forms: [['999 999 999', 'medium'], ['999999999', 'value']],
    valid: (digits) => (10 - weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 === Number(digits.charAt(8)) && !isRepeated(digits),
    words: ['acn', 'australian company', 'company number'],
    match: ['005 499 981', 'ACN 005499981'],
    ignore: ['005 499 982', 'x = 005499981', '51 824 753 556'],
  },
  {
    rule: 'au-tax-file-number', about: 'Tax file number (TFN), Australia',
    forms: [['999 999 999', 'medium'], ['999999999', 'value'], ['999 999 99', 'words']],
    valid: (digits) => weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isRepeated(digits),
    words: ['tfn', 'tax file', 'tax file number'],
    match: ['876 543 210', 'TFN: 876543210'],
    ignore: ['876 543 211', 'x = 876543210'],
  },
  {
    rule: 'au-medicare-number', about: 'Medicare number, Australia',
    forms: [['9999 99999 9', 'medium'], ['9999999999', 'value'], ['9999 99999 9-9', 'medium']],
    valid: (digits) => /^[2-6]/.test(digits) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits.charAt(8)) && !isRepeated(digits.slice(0, 8)),
    words: ['medicare', 'medicare card'],
    match: ['2123 45670 1', 'medicare 2123456701'],
    ignore: ['2123 45671 1', 'x = 2123456701', '7123 45670 1'],
  },
];
