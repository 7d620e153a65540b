/** United States: social security, taxpayer, bank routing, provider, prescriber and Medicare numbers. */
import { isRepeated, luhn, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

/** Area 000, 666 and 900 to 999, group 00 and serial 0000 are never given out. */
function isSocialSecurity(digits: string, written: string): boolean {
  const isTwoMarks = written.includes('-') && written.includes(' ');
  return !isTwoMarks && !/^(?:000|666|9)/.test(digits) && digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000' && !isRepeated(digits);
}

const areas = /^9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])/;

export const unitedStates: readonly Identifier[] = [
  {
    rule: 'us-social-security-number', about: 'Social security number, United States',
    forms: [['999-99-9999', 'high'], ['999 99 9999', 'medium'], ['999.99.9999', 'medium'], ['999999999', 'words']],
    valid: isSocialSecurity,
    // Printed in wallets and pamphlets, and counted.
    sample: (digits) => ['078051120', '219099999', '123456789'].includes(digits),
    words: ['ssn', 'social security', 'socsec', 'social security number'],
    match: ['SSN 219-09-9998', 'SSN 123-45-6789', '536-90-4399', '536 90 4399', 'ssn: 536904399', 'SSN:536-90-4399'],
    ignore: ['666-12-3456', '219-00-9999', '219-09-0000', '000-12-3456', '078-05-1120', '123-45-6789', '2024-01-15', '536904399', '1536-90-4399', '536-90-43991', '536-90 4399', '111-11-1111'],
  },
  {
    rule: 'us-taxpayer-id', about: 'Individual taxpayer number (ITIN), United States',
    forms: [['999-99-9999', 'medium'], ['999 99 9999', 'words'], ['999999999', 'words']],
    valid: (digits) => areas.test(digits) && !isRepeated(digits),
    words: ['itin', 'taxpayer', 'tax id', 'individual taxpayer', 'tin'],
    match: ['912-70-1234', 'ITIN 911701234'],
    ignore: ['912-49-1234', '912-93-1234', '911701234', '812-70-12345'],
  },
  {
    rule: 'us-bank-routing-number', about: 'Bank routing number (ABA), United States',
    forms: [['9999-9999-9', 'medium'], ['999999999', 'value']],
    // Federal Reserve districts, thrifts, electronic, traveller's cheques.
    valid: (digits) => /^(?:0[0-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits) && !isRepeated(digits) && weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
    words: ['aba', 'routing', 'routing number', 'rtn', 'bank', 'transit', 'wire'],
    match: ['routing 021000021', '"121042882"', '1210-4288-2'],
    ignore: ['n = 121042882', '121042883', '421042882', '000000000', 'bank 121042883'],
  },
  {
    rule: 'us-provider-id', about: 'National provider identifier (NPI), United States',
    forms: [['9999999999', 'value'], ['9999 999 999', 'medium'], ['9999-999-999', 'medium']],
    valid: (digits) => /^[12]/.test(digits) && luhn(`80840${digits}`) && !isRepeated(digits.slice(1)),
    words: ['npi', 'national provider', 'provider identifier', 'physician', 'prescriber'],
    match: ['NPI 1245319599', '1234567893', '1234-567-893'],
    ignore: ['1234567890', '0234567893', 'x = 1245319599', '1732862345'],
  },
  {
    rule: 'us-prescriber-id', about: 'Registration of a prescriber (DEA), United States',
    forms: [['AA9999999', 'value'], ['A99999999', 'value']],
    valid: (compact) => /^[A-HJ-NPRSTUX][A-Z9]\d{7}$/.test(compact) && isPrescriber(compact.slice(2)),
    words: ['dea', 'certificate', 'certificate number', 'medical license', 'prescriber', 'license'],
    match: ['DEA BB1388568', 'GL0285191', '"F91234563"'],
    ignore: ['BG8207031', 'x BB1388568 y', 'QB1388568'],
  },
  {
    rule: 'us-medicare-id', about: 'Medicare beneficiary identifier (MBI), United States',
    forms: [['9AX9-AX9-AA99', 'high'], ['9AX9AX9AA99', 'medium'], ['9AX9 AX9 AA99', 'medium']],
    valid: (compact) => /^[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d\d$/.test(compact),
    words: ['medicare', 'mbi', 'beneficiary', 'hicn'],
    match: ['1EG4-TE5-MK73', '1EG4TE5MK73'],
    ignore: ['1SG4-TE5-MK73', '1EG4-LE5-MK73', '1EG4TE5MK734', '12G4-TE5-MK73', '0EG4-TE5-MK73'],
  },
];

function isPrescriber(digits: string): boolean {
  return (weighted(digits, [1, 2, 1, 2, 1, 2]) % 10) === Number(digits.charAt(6)) && !isRepeated(digits);
}
