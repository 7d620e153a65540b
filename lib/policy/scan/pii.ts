/**
 * Personal data that can be told from its form: e-mail addresses, payment cards, United States social security numbers,
 * international bank account numbers. Wherever a checksum or a reserved range exists, it must agree.
 */
import { characters, runEnd } from './matcher.ts';
import type { Hit, Matcher } from './matcher.ts';

const local = characters('A-Za-z0-9._%+-');
const domain = characters('A-Za-z0-9.-');

const email: Matcher = (text, report) => {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let from = at;
    while (from > 0 && at - from <= 64 && local[text.charCodeAt(from - 1)] === 1) from -= 1;
    const end = runEnd(text, at + 1, domain, 255);
    const host = text.slice(at + 1, end).replace(/[.-]+$/, '');
    const name = text.slice(from, at);
    if (name === '' || name.length > 64 || name.startsWith('.') || name.endsWith('.')) continue;
    if (!/^(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}$/.test(host) || host.includes('..')) continue;
    report({ rule: 'email', offset: from, length: at + 1 - from + host.length, confidence: 'high' });
  }
};

/** First digits and lengths of each card issuer (ISO/IEC 7812 ranges as issuers publish them). */
const issuers: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 17, 18, 19]],
  [/^3(?:0[0-5]|[689])/, [14, 16]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|6304|6759|676[1-3])/, [13, 14, 15, 16, 17, 18, 19]],
];

function isCard(digits: string): boolean {
  return issuers.some(([first, lengths]) => first.test(digits) && lengths.includes(digits.length)) && !/^(\d)\1*$/.test(digits) && luhn(digits);
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits.charAt(digits.length - 1 - at)) * (at % 2 + 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

const digit = characters('0-9');
const outside = characters('A-Za-z0-9_');
const longestNumber = 40;

/** Cards and social security numbers: one walk over the numbers of the text, grouped by single spaces or hyphens. */
const numbers: Matcher = (text, report) => {
  for (const match of text.matchAll(/\d/g)) {
    const at = match.index;
    if (at > 0 && (outside[text.charCodeAt(at - 1)] === 1 || /[.,\-+]/.test(text.charAt(at - 1)) && digit[text.charCodeAt(at - 2)] === 1)) continue;
    const groups = groupsFrom(text, at);
    const last = groups[groups.length - 1];
    if (last === undefined || outside[text.charCodeAt(last.end)] === 1) continue;
    const hit = cardIn(groups, at) ?? socialIn(groups, at);
    if (hit !== undefined) report(hit);
  }
};

interface Group { readonly digits: string; readonly end: number; readonly separator: string }

function groupsFrom(text: string, start: number): readonly Group[] {
  const groups: Group[] = [];
  let [at, separator] = [start, ''];
  while (at - start < longestNumber) {
    const end = runEnd(text, at, digit, 24);
    if (end === at) break;
    groups.push({ digits: text.slice(at, end), end, separator });
    separator = text.charAt(end);
    if ((separator !== ' ' && separator !== '-') || digit[text.charCodeAt(end + 1)] !== 1) break;
    at = end + 1;
  }
  return groups;
}

/** The longest run of leading groups that makes a card. */
function cardIn(groups: readonly Group[], offset: number): Hit | undefined {
  for (let count = groups.length; count > 0; count -= 1) {
    const used = groups.slice(0, count);
    const digits = used.map((group) => group.digits).join('');
    const inGroups = count === 1 || used.every((group) => group.digits.length >= 2 && group.digits.length <= 7);
    const end = used[count - 1]?.end ?? offset;
    if (inGroups && digits.length >= 13 && digits.length <= 19 && isCard(digits)) return { rule: 'payment-card', offset, length: end - offset, confidence: 'high' };
  }
  return undefined;
}

/** Area 000, 666 and 900-999, group 00 and serial 0000 are never given out. */
function socialIn(groups: readonly Group[], offset: number): Hit | undefined {
  const [area, group, serial] = groups;
  if (area === undefined || group === undefined || serial === undefined || groups.length !== 3 || group.separator !== serial.separator) return undefined;
  if (area.digits.length !== 3 || group.digits.length !== 2 || serial.digits.length !== 4) return undefined;
  if (/^(?:000|666|9)/.test(area.digits) || group.digits === '00' || serial.digits === '0000') return undefined;
  return { rule: 'us-social-security-number', offset, length: serial.end - offset, confidence: group.separator === '-' ? 'high' : 'medium' };
}

/** Country -> length (ISO 13616 registry). */
const ibanLengths: ReadonlyMap<string, number> = new Map((
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 '
  + 'IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 '
  + 'SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
).split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]));

const iban: Matcher = (text, report) => {
  for (const match of text.matchAll(/\b[A-Z]{2}\d{2}/g)) {
    const length = ibanLengths.get(match[0].slice(0, 2));
    if (length === undefined) continue;
    let [compact, at] = ['', match.index];
    while (compact.length < length && at < text.length) {
      const char = text.charAt(at);
      if (/[A-Z0-9]/.test(char)) compact += char;
      else if (char !== ' ' || !/[A-Z0-9]/.test(text.charAt(at + 1))) break;
      at += 1;
    }
    if (compact.length !== length || outside[text.charCodeAt(at)] === 1 || !checksum97(compact)) continue;
    report({ rule: 'iban', offset: match.index, length: at - match.index, confidence: 'high' });
  }
};

/** ISO 7064 mod 97-10: the rearranged number leaves 1. */
function checksum97(compact: string): boolean {
  let rest = 0;
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

export const piiMatchers: readonly Matcher[] = [email, numbers, iban];
