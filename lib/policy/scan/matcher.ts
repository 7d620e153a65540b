/**
 * How secret rules look for things: a fixed prefix found by plain search, a run of allowed characters after it, a length.
 * Nothing backtracks, so hostile text costs no more than ordinary text of the same length.
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

/** A credential that is a prefix and a run of characters. */
export interface TokenRule {
  readonly rule: string;
  readonly prefix: string;
  readonly run: CharacterClass;
  readonly least: number;
  readonly most: number;
  readonly confidence: Confidence;
  /** A last test of the whole token. */
  readonly accept?: (token: string) => boolean;
}

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

export const alphanumeric: CharacterClass = characters('A-Za-z0-9');
export const word: CharacterClass = characters('A-Za-z0-9_');
export const wordDash: CharacterClass = characters('A-Za-z0-9_-');
export const hex: CharacterClass = characters('0-9a-f');
export const base64: CharacterClass = characters('A-Za-z0-9+/=');

/** Index of the first character at or after `from` that is not in the class; looks at most `most` characters ahead. */
export function runEnd(text: string, from: number, run: CharacterClass, most: number): number {
  const limit = Math.min(text.length, from + most);
  let at = from;
  while (at < limit && run[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** Whether the character before `at` ends a word, so that a token can begin there. */
export function startsWord(text: string, at: number): boolean {
  return at === 0 || word[text.charCodeAt(at - 1)] !== 1;
}

/** A matcher for one token rule. */
export function tokenMatcher(token: TokenRule): Matcher {
  const { rule, prefix, run, least, most, confidence, accept } = token;
  return (text, report) => {
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
      if (!startsWord(text, at)) continue;
      const from = at + prefix.length;
      const end = runEnd(text, from, run, most + 1);
      if (end - from < least || end - from > most) continue;
      const found = text.slice(at, end);
      if (isPlaceholder(found.slice(prefix.length)) || accept?.(found) === false) continue;
      report({ rule, offset: at, length: end - at, confidence });
    }
  };
}

/** Bits a character of Shannon entropy. */
export function entropy(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at += 1) counts.set(text.charCodeAt(at), (counts.get(text.charCodeAt(at)) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count / text.length * Math.log2(count / text.length);
  return bits;
}

const placeholders = /example|sample|dummy|placeholder|redacted|changeme|your[_-]|test[_-]?(?:key|token|secret)|xxxx|\*\*\*\*|\.\.\.\.|012345678|123456789|abcdefgh|00000000|fffffff|deadbeef/i;

/** Whether a value is what documentation puts where a secret would stand. */
export function isPlaceholder(value: string): boolean {
  return (value.length >= 12 && entropy(value) < 2) || placeholders.test(value.slice(0, 512));
}
