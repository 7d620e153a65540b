/**
 * Personal data that can be told from its form: addresses, account numbers, identity numbers of many countries. One pass
 * looks for digits, `@` and `:`; what stands around each is read with a bound, so hostile text costs no more than ordinary
 * text. Names, places and dates are not looked for: they have no form.
 */
import { mostFindings } from '../findings.ts';
import type { Hit } from '../matcher.ts';
import { walletAt } from './crypto-wallet.ts';
import { emailAt } from './email.ts';
import { ibanAt } from './iban.ts';
import { isDigit, isLetter, isWord } from './codes.ts';
import { longestGroup } from './identifier.ts';
import { fourAt, sixAt } from './ip-address.ts';
import { macAt } from './mac-address.ts';
import { internationalPhoneAt } from './phone.ts';
import { WrittenForms } from './written-forms.ts';

const [nothing, digit, at, colon, hyphen] = [0, 1, 2, 3, 4] as const;
/** What the pass stops at. */
const stops = new Uint8Array(65_536).fill(nothing);
for (let code = 48; code <= 57; code += 1) stops[code] = digit;
[stops[64], stops[58], stops[45]] = [at, colon, hyphen];

/** Finds all kinds, until there are more than are told apart. */
export function personalData(text: string, report: (hit: Hit) => void): void {
  const pass = new Pass(text, report);
  let place = 0;
  while (pass.found < mostFindings) {
    // Behind the end there is no code, and no entry for it.
    while (stops[text.charCodeAt(place)] === nothing) place += 1;
    const stop = stops[text.charCodeAt(place)];
    if (stop === undefined) return;
    if (stop === digit) place = pass.lookAtGroup(place);
    else if (stop === colon) place = pass.lookAtColon(place);
    else {
      if (stop === at) pass.tell(emailAt(text, place));
      // A pair with a digit is met by its digit.
      else if (isLetter(text.charCodeAt(place - 1))) pass.tell(macAt(text, place));
      place += 1;
    }
  }
}

/** One text on the way through it. */
class Pass {
  readonly #text: string;
  readonly #report: (hit: Hit) => void;
  readonly #forms: WrittenForms;
  found = 0;

  constructor(text: string, report: (hit: Hit) => void) {
    this.#text = text;
    this.#report = report;
    this.#forms = new WrittenForms(text);
  }

  tell(hit: Hit | undefined): void {
    if (hit === undefined) return;
    this.found += 1;
    this.#report(hit);
  }

  /** Answers where to go on. A colon between blanks, quotes or names is no part of an address. */
  lookAtColon(place: number): number {
    const before = this.#text.charCodeAt(place - 1);
    const after = this.#text.charCodeAt(place + 1);
    const touches = after === 58 || (isHex(after) && (before === 58 || isHex(before)));
    const hit = touches ? macAt(this.#text, place) ?? sixAt(this.#text, place) : undefined;
    this.tell(hit);
    return hit === undefined ? place + 1 : Math.max(place + 1, hit.offset + hit.length);
  }

  /** The group of letters and digits around its first digit. Answers with its end: no character is looked at for two groups. */
  lookAtGroup(first: number): number {
    const text = this.#text;
    let [start, end] = [first, first + 1];
    while (isWord(text.charCodeAt(start - 1))) start -= 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    const isNumber = start === first && !isWord(text.charCodeAt(end));
    while (isWord(text.charCodeAt(end))) end += 1;
    this.#lookForGrammars(start, first, end, isNumber);
    if (end - start <= longestGroup) this.tell(this.#forms.around({ start, end, isNumber }));
    return end;
  }

  /** What has a grammar of its own and begins with such a group. */
  #lookForGrammars(start: number, first: number, end: number, isNumber: boolean): void {
    const text = this.#text;
    const length = end - start;
    const next = text.charCodeAt(end);
    if (isNumber && text.charCodeAt(start - 1) === 43) this.tell(internationalPhoneAt(text, start - 1));
    if (isNumber && next === 46 && length <= 3) this.tell(fourAt(text, start));
    if (next === 45 && length === 2) this.tell(macAt(text, end));
    if (first - start === 2 && length >= 4) this.tell(ibanAt(text, start));
    if (length >= 26 && length <= 62 && (first === start || first - start === 2)) this.tell(walletAt(text, start, end));
  }
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}
