/**
 * What all scanners are made of: classes of characters, runs of them, and hits. Nothing here backtracks, so hostile text
 * costs no more than ordinary text of the same length.
 */
import type { Finding } from '../../base/action.ts';

export type Confidence = Finding['confidence'];

/** A place a rule points at, in UTF-16 code units. */
export interface Hit {
  readonly rule: string;
  readonly offset: number;
  readonly length: number;
  readonly confidence: Confidence;
}

/** A way of looking through a text. Hits may overlap and need no order. */
export type Matcher = (text: string, report: (hit: Hit) => void) => void;

/** One flag a UTF-16 code unit below 128; all others are outside. */
export type CharacterClass = Uint8Array;

/** The class of the characters listed; `a-z` stands for a range. */
export function characters(list: string): CharacterClass {
  const flags = new Uint8Array(128);
  for (let at = 0; at < list.length; at += 1) {
    const ranged = list.charAt(at + 1) === '-' && at + 2 < list.length;
    for (let code = list.charCodeAt(at); code <= list.charCodeAt(ranged ? at + 2 : at); code += 1) flags[code] = 1;
    if (ranged) at += 2;
  }
  return flags;
}

export const word: CharacterClass = characters('A-Za-z0-9_');

/** Index of the first character at or after `from` that is not in the class; looks at most `most` characters ahead. */
export function runEnd(text: string, from: number, run: CharacterClass, most: number): number {
  const limit = Math.min(text.length, from + most);
  let at = from;
  while (at < limit && run[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** Index of the first character of the run of the class that ends before `end`; looks at most `most` characters back. */
export function runStart(text: string, end: number, run: CharacterClass, most: number): number {
  const limit = Math.max(0, end - most);
  let at = end;
  while (at > limit && run[text.charCodeAt(at - 1)] === 1) at -= 1;
  return at;
}

const hexDigit = characters('0-9a-fA-F');
const escapedLetter = characters('nrtbf');

/** Whether a token can begin at `at`: no word character stands before it, or one that belongs to an escape (`\n`, `%3D`). */
export function startsWord(text: string, at: number): boolean {
  if (at === 0 || word[text.charCodeAt(at - 1)] !== 1) return true;
  if (escapedLetter[text.charCodeAt(at - 1)] === 1 && text.charCodeAt(at - 2) === 92) return true;
  return text.charCodeAt(at - 3) === 37 && hexDigit[text.charCodeAt(at - 2)] === 1 && hexDigit[text.charCodeAt(at - 1)] === 1;
}

/** Whether no word character stands at `at`. */
export function endsWord(text: string, at: number): boolean {
  return word[text.charCodeAt(at)] !== 1;
}

/**
 * Ends of runs in one text, each run walked once: a run that many places lie in is not walked again from each of them,
 * so however often hostile text repeats a prefix, the cost stays that of its length.
 */
export class Runs {
  readonly #text: string;
  readonly #last = new Map<CharacterClass, { from: number; end: number }>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Index of the first character at or after `from` that is not in the class. */
  end(from: number, set: CharacterClass): number {
    const last = this.#last.get(set);
    if (last !== undefined && from >= last.from && from <= last.end) return last.end;
    const end = runEnd(this.#text, from, set, this.#text.length);
    if (last === undefined) this.#last.set(set, { from, end });
    else [last.from, last.end] = [from, end];
    return end;
  }
}
