/** China, Hong Kong, Taiwan, Korea, Singapore, Thailand, Turkey. */
import { isDay, startsWithDay } from '../birth-date.ts';
import { isRepeated, weighted } from '../checksums.ts';
import type { Identifier } from '../identifier.ts';

const china: Identifier = {
  rule: 'cn-resident-id', about: 'Resident identity number, China (GB 11643)',
  forms: [['99999999999999999X', 'medium']],
  valid: (compact) => /^[1-8]\d{5}(?:19|20)\d{9}[\dX]$/.test(compact) && isDay(compact.slice(8, 10), compact.slice(10, 12), compact.slice(12, 14), Number(compact.slice(6, 8)))
    && '10X98765432'.charAt(weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11) === compact.charAt(17),
  words: ['身份证', '身份證', '公民身份', 'resident id', 'id card'],
  match: ['11010519491231002X', '身份证号11010519491231002X'],
  ignore: ['110105194912310021', '11010519491331002X', '11010519491231002XX'],
};

const hongKong: Identifier = {
  rule: 'hk-identity-card', about: 'Identity card number, Hong Kong',
  forms: [['A999999(X)', 'high'], ['AA999999(X)', 'high']],
  valid: (compact) => {
    const body = compact.slice(0, -1).padStart(8, ' ');
    const sum = [...body].reduce((total, char, at) => total + (9 - at) * (char === ' ' ? 36 : Number.parseInt(char, 36)), 0);
    const check = (11 - sum % 11) % 11;
    return (check === 10 ? 'A' : String(check)) === compact.slice(-1);
  },
  words: ['hkid', '身份證', 'identity card'],
  match: ['A123456(3)'],
  ignore: ['A123456(4)', 'f123456(3)x'],
};

/** Letters count from 10 in the order in which districts got them. */
const districts = 'ABCDEFGHJKLMNPQRSTUVXYWZIO';

const taiwan: Identifier = {
  rule: 'tw-national-id', about: 'National identity number, Taiwan',
  forms: [['A999999999', 'value']],
  valid: (compact) => {
    const value = districts.indexOf(compact.charAt(0)) + 10;
    return /^[A-Z][1289]/.test(compact) && (Math.floor(value / 10) + value % 10 * 9 + weighted(compact.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1])) % 10 === 0;
  },
  words: ['身分證', '身份證', '統一編號', 'national id'],
  match: ['A123456789', '身分證字號 A123456789'],
  ignore: ['A123456788', 'x A123456789 y', 'A323456789'],
};

const koreanWeights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
const korean = ['주민등록번호', '주민번호', '주민', '외국인등록번호', 'rrn', 'frn', 'resident registration', 'foreigner registration', 'alien registration', 'korean'];

/** Numbers given out since October 2020 hold no check digit, so it can prove and not refute. */
const korea: readonly Identifier[] = [
  {
    rule: 'kr-resident-registration-number', about: 'Resident registration number, Korea',
    forms: [['999999-9999999', 'medium'], ['9999999999999', 'value']],
    valid: (digits) => /^\d{6}[1-4]/.test(digits) && startsWithDay(digits, /^\d{6}[12]/.test(digits) ? 19 : 20),
    proof: (digits) => isKorean(digits, 11),
    words: korean,
    match: ['000505-3637892', '050912-2000019'],
    ignore: ['001332-1234567', '960121+1021413', '960111-10214131', 'x = 0005053637892'],
  },
  {
    rule: 'kr-foreigner-registration-number', about: 'Foreigner registration number, Korea',
    forms: [['999999-9999999', 'medium'], ['9999999999999', 'value']],
    valid: (digits) => /^\d{6}[5-8]/.test(digits) && startsWithDay(digits, /^\d{6}[56]/.test(digits) ? 19 : 20),
    proof: (digits) => isKorean(digits, 13),
    words: korean,
    match: ['000505-7637892'],
    ignore: ['001332-5234567', '960303-0021413'],
  },
  {
    rule: 'kr-business-number', about: 'Business registration number, Korea',
    forms: [['999-99-99999', 'medium'], ['9999999999', 'words']],
    valid: (digits) => {
      const sum = weighted(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor(Number(digits.charAt(8)) * 5 / 10);
      return (10 - sum % 10) % 10 === Number(digits.charAt(9));
    },
    words: ['brn', '사업자등록번호', '사업자', 'business registration'],
    match: ['104-82-13138', 'BRN 1048656659'],
    ignore: ['104-82-13139', '1048656659'],
  },
];

function isKorean(digits: string, base: 11 | 13): boolean {
  return (base - weighted(digits, koreanWeights) % 11) % 10 === Number(digits.charAt(12));
}

const singapore: Identifier = {
  rule: 'sg-national-id', about: 'Registration number (NRIC, FIN), Singapore',
  forms: [['A9999999A', 'medium']],
  valid: (compact) => {
    const kind = compact.charAt(0);
    if (!/[STFGM]/.test(kind)) return false;
    const sum = weighted(compact.slice(1), [2, 7, 6, 5, 4, 3, 2]) + (kind === 'T' || kind === 'G' ? 4 : kind === 'M' ? 3 : 0);
    const letters = kind === 'S' || kind === 'T' ? 'JZIHGFEDCBA' : kind === 'M' ? 'XWUTRQPNJLK' : 'XWUTRQPNMLK';
    return letters.charAt(sum % 11) === compact.charAt(8);
  },
  words: ['nric', 'fin', 'singapore', 'identity card'],
  match: ['S9108268C', 'T7572225C', 'NRIC s9108268c'],
  ignore: ['S9108268D', 'A9108268C', 'at s9108268c it'],
};

/** Digits two and three are a province (ISO 3166-2:TH). */
const provinces = /^[1-8](?:1\d|2[0-7]|3\d|4\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])/;

const thailand: Identifier = {
  rule: 'th-national-id', about: 'National identity number, Thailand',
  forms: [['9-9999-99999-99-9', 'high'], ['9 9999 99999 99 9', 'high'], ['9999999999999', 'value']],
  valid: (digits) => provinces.test(digits) && (11 - weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10 === Number(digits.charAt(12)) && !isRepeated(digits),
  words: ['thai', 'thai id', 'thailand', 'เลขบัตรประชาชน', 'บัตรประชาชน', 'เลขประจำตัวประชาชน', 'national id'],
  match: ['1-2345-67890-12-1', '3456789012347', 'Thai ID 1234567890121'],
  ignore: ['3456789012346', '1874567890124', 'x = 3456789012347', '1732862345678'],
};

const turkey: Identifier = {
  rule: 'tr-national-id', about: 'National identity number, Turkey',
  forms: [['99999999999', 'low']],
  valid: (digits) => /^[1-9]/.test(digits) && (weighted(digits, [7, -1, 7, -1, 7, -1, 7, -1, 7]) % 10 + 10) % 10 === Number(digits.charAt(9))
    && weighted(digits, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10 === Number(digits.charAt(10)),
  words: ['tc kimlik', 'kimlik', 'kimlik no', 'tc', 'tckn', 'tc no', 'vatandaslik'],
  match: ['10000000146', 'TC Kimlik No: 76543210794', '94357219628'],
  ignore: ['10000000147', '76543210780', 'x10000000146', '00000000000'],
};

export const asia: readonly Identifier[] = [china, hongKong, taiwan, ...korea, singapore, thailand, turkey];
