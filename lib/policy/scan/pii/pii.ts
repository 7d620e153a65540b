/**
 * Personal data that can be told from its form: addresses, account numbers, identity numbers of many countries. One pass
 * looks for digits, `@` and `:`; what stands around each is read with a bound, so hostile text costs no more than ordinary
 * text. Names, places and dates are not looked for: they have no form.
 */
import type { Confidence, Hit, Matcher } from '../matcher.ts';
import { walletAt } from './crypto-wallet.ts';
import { documents } from './documents.ts';
import { emailAt } from './email.ts';
import { ibanAt } from './iban.ts';
import { FormTable, isDigit, isLetter, isWord, isWritten, longestGroup } from './identifier.ts';
import type { Form, Identifier } from './identifier.ts';
import { fourAt, sixAt } from './ip-address.ts';
import { macAt } from './mac-address.ts';
import { asia } from './national/asia.ts';
import { australia } from './national/australia.ts';
import { centralEurope } from './national/central-europe.ts';
import { germany } from './national/germany.ts';
import { india } from './national/india.ts';
import { nordic } from './national/nordic.ts';
import { northAmerica } from './national/north-america.ts';
import { south } from './national/south.ts';
import { southernEurope } from './national/southern-europe.ts';
import { unitedKingdom } from './national/united-kingdom.ts';
import { unitedStates } from './national/united-states.ts';
import { westernEurope } from './national/western-europe.ts';
import { paymentCard } from './payment-card.ts';
import { internationalPhoneAt, nationalPhones } from './phone.ts';
import { isBeside, isContinued, isValue, isWhole } from './surroundings.ts';

/** All kinds that are known by a form and a check. Of two that fit equally well the first is told. */
export const identifiers: readonly Identifier[] = [
  paymentCard, ...unitedStates, ...unitedKingdom, ...northAmerica, ...australia, ...india, ...germany, ...southernEurope, ...nordic, ...centralEurope, ...westernEurope, ...asia, ...south, ...documents, ...nationalPhones,
];

const forms = new FormTable(identifiers);
const rank: Readonly<Record<Confidence, number>> = { low: 0, medium: 1, high: 2 };

const [nothing, digit, at, colon, hyphen] = [0, 1, 2, 3, 4] as const;
/** What the pass stops at. */
const stops = new Uint8Array(65_536).fill(nothing);
for (let code = 48; code <= 57; code += 1) stops[code] = digit;
[stops[64], stops[58], stops[45]] = [at, colon, hyphen];

type Report = (hit: Hit) => void;

/** The matcher of all personal data. */
const personalData: Matcher = (text, report) => {
  const tell = (hit: Hit | undefined): number => {
    if (hit === undefined) return 0;
    report(hit);
    return hit.offset + hit.length;
  };
  let place = 0;
  while (place < text.length) {
    const stop = stops[text.charCodeAt(place)];
    if (stop === nothing) place += 1;
    else if (stop === digit) place = lookAtGroup(text, place, report);
    else if (stop === at) {
      tell(emailAt(text, place));
      place += 1;
    } else if (stop === colon) place = Math.max(place + 1, lookAtColon(text, place, tell));
    else {
      if (isLetter(text.charCodeAt(place - 1))) tell(macAt(text, place));
      place += 1;
    }
  }
};

export const piiMatchers: readonly Matcher[] = [personalData];

/** Where to go on after a colon. A colon between blanks, quotes or names is no part of an address. */
function lookAtColon(text: string, place: number, tell: (hit: Hit | undefined) => number): number {
  const after = text.charCodeAt(place + 1);
  if (after !== 58 && !isHex(after)) return 0;
  const before = text.charCodeAt(place - 1);
  if (before !== 58 && after !== 58 && !isHex(before)) return 0;
  const mac = isHex(before) ? tell(macAt(text, place)) : 0;
  return mac > 0 ? mac : tell(sixAt(text, place));
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

/** The group of letters and digits around its first digit. Answers with its end: no character is looked at for two groups. */
function lookAtGroup(text: string, first: number, report: Report): number {
  let start = first;
  while (isWord(text.charCodeAt(start - 1))) start -= 1;
  let end = first + 1;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const isNumber = start === first && !isWord(text.charCodeAt(end));
  while (isWord(text.charCodeAt(end))) end += 1;
  const length = end - start;
  const next = text.charCodeAt(end);
  const before = text.charCodeAt(start - 1);
  const tell = (hit: Hit | undefined): void => { if (hit !== undefined) report(hit); };
  if (before === 43 && isNumber) tell(internationalPhoneAt(text, start - 1));
  if (isNumber && next === 46 && length <= 3) tell(fourAt(text, start));
  if (next === 45 && length === 2) tell(macAt(text, end));
  if (first - start === 2 && length >= 4) tell(ibanAt(text, start));
  if (length >= 26 && length <= 62 && (first === start || first - start === 2)) tell(walletAt(text, start, end));
  if (length > longestGroup) return end;
  const best = betterOf(bestOf(text, start, isNumber, forms.find(length, 0)), next < 128 ? bestOf(text, start, isNumber, forms.find(length, next)) : undefined);
  tell(best);
  return end;
}

/** The hit of the surest form that fits, the longer of two. */
function bestOf(text: string, group: number, isNumber: boolean, candidates: readonly Form[] | undefined): Hit | undefined {
  let best: Hit | undefined;
  if (candidates === undefined) return best;
  for (const form of candidates) {
    if (form.group === (isNumber ? 'digits and letters' : 'digits')) continue;
    const start = group - form.before;
    if (start >= 0 && isWritten(text, start, form.text)) best = betterOf(best, judge(text, start, form));
  }
  return best;
}

function betterOf(one: Hit | undefined, other: Hit | undefined): Hit | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const gain = rank[other.confidence] - rank[one.confidence] || other.length - one.length;
  return gain > 0 ? other : one;
}

/** What is written in a form is told when it is whole, valid, and as sure as the place it stands in makes it. */
function judge(text: string, start: number, { identifier, text: form, standing, isSpaced }: Form): Hit | undefined {
  const end = start + form.length;
  if (!isWhole(text, start, end) || (isSpaced && isContinued(text, start, end, identifier.followed === true))) return undefined;
  const written = text.slice(start, end);
  const compact = written.toUpperCase().replace(/[^0-9A-Z]/g, '');
  if (!identifier.valid(compact, written)) return undefined;
  const confidence = confidenceOf(text, start, end, identifier, standing, compact, written);
  return confidence === undefined ? undefined : { rule: identifier.rule, offset: start, length: form.length, confidence };
}

function confidenceOf(text: string, start: number, end: number, identifier: Identifier, standing: Form['standing'], compact: string, written: string): Confidence | undefined {
  if (isBeside(text, start, end, identifier.words)) return identifier.beside ?? 'high';
  if (standing === 'words' || isMoment(written)) return undefined;
  // Identity numbers are written in capitals; names of things in code are not.
  if (standing === 'value' || /[a-z]/.test(written)) return isValue(text, start, end) ? 'low' : undefined;
  return identifier.proof?.(compact) === true ? 'high' : standing;
}

/** Seconds or milliseconds since 1970 that lie in the years 2010 to 2034. */
function isMoment(written: string): boolean {
  return /^(?:12[7-9]|1[3-9]\d|20[0-4])\d{7}(?:\d{3})?$/.test(written);
}
