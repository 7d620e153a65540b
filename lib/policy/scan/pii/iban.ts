/** International bank account numbers (ISO 13616): a country of the registry, its length, and a checksum over all of it. */
import type { Hit } from '../matcher.ts';
import { mod97 } from './checksums.ts';
import { isDigit, isWord } from './codes.ts';
import type { Examples } from './identifier.ts';

export const ibanExamples: Examples = {
  match: ['DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432', 'to FR14-2004-1010-0505-0001-3M02-606.'],
  ignore: ['DE88 3704 0044 0532 0130 00', 'ZZ89370400440532013000', 'DE893704004405320130001', 'xDE89370400440532013000', 'DE89/3704/0044/0532/0130/00', 'de89370400440532013000x'],
};

/** Country and length (ISO 13616 registry, 2024). */
const lengths: ReadonlyMap<string, number> = new Map((
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 '
  + 'IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 '
  + 'SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
).split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]));

/** The account number that begins at `start`: whole, or in groups parted by one kind of mark. */
export function ibanAt(text: string, start: number): Hit | undefined {
  const length = lengths.get(text.slice(start, start + 2));
  if (length === undefined || isWord(text.charCodeAt(start - 1))) return undefined;
  let [compact, at, mark] = ['', start, ''];
  while (compact.length < length && at < text.length) {
    const char = text.charAt(at);
    if (isCapitalOrDigit(char)) compact += char;
    else if ((char === ' ' || char === '-') && (mark === '' || mark === char) && isCapitalOrDigit(text.charAt(at + 1))) mark = char;
    else break;
    at += 1;
  }
  if (compact.length !== length || isWord(text.charCodeAt(at)) || !mod97(compact.slice(4) + compact.slice(0, 4))) return undefined;
  return { rule: 'iban', offset: start, length: at - start, confidence: 'high' };
}

function isCapitalOrDigit(char: string): boolean {
  return (char >= 'A' && char <= 'Z') || isDigit(char.charCodeAt(0));
}
