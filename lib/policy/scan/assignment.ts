/**
 * Where the value of a name is, in whatever language: `name = "value"`, `name: value`, `"name" => 'value'`, `name := value`,
 * `<name>value</name>`, `set("name", "value")`, `--name value`, `name: string = "value"`, `- name: x` with `value: y` below.
 * It decides only the place; whether the value is a secret is for those who ask.
 */
import { characters, runEnd } from './matcher.ts';

export interface Value {
  /** Index of its first character. */
  readonly from: number;
  readonly isQuoted: boolean;
}

/** Characters of names. */
export const nameSet: Uint8Array = characters('A-Za-z0-9_.-');
export const longestName = 48;

const blank = characters(' \t');
const closers = characters('"\'`)\\]}');
const spaces = characters(' \t\r\n');
const quotes = characters('"\'`');
const typeSet = characters('A-Za-z0-9_.<>[]&*|?');
const callSet = characters('A-Za-z0-9_.:$');
/** The longest first. */
const signs = [':::=', '::=', '===', ':=', '||=', '??=', '?=', '.=', '+=', '==', '=>', '->', '<-', '||', '??', '=', ':', '>', ','] as const;
const mostWords = 3;
const mostBlanks = 32;
const longestWord = 24;

/** How a name may go on before its sign: with a type (`var name string =`), or with any words (`vendor api key:`). After a flag a blank is a sign. */
export type Continuation = 'type' | 'words' | 'flag';

/** The value of the name that ends at `nameEnd`; undefined where nothing is assigned. */
export function valueAfter(text: string, nameEnd: number, continuation: Continuation): Value | undefined {
  let at = runEnd(text, nameEnd, closers, 4);
  const listed = listedValue(text, at);
  if (listed >= 0) return opened(text, listed);
  for (let words = 0; words <= mostWords; words += 1) {
    const from = runEnd(text, at, blank, mostBlanks);
    const sign = signAt(text, from);
    if (sign !== undefined) return words > 0 && continuation !== 'words' && !sign.includes('=') ? undefined : assigned(text, from, sign);
    if (continuation === 'flag' && words === 0 && from > at) return opened(text, from);
    const end = runEnd(text, from, nameSet, longestWord);
    if (from === at || end === from) return undefined;
    at = end;
  }
  return undefined;
}

/** What comes next after the name and a blank, with no sign between (`ENV name value`). */
export function valueBehindBlank(text: string, nameEnd: number): Value | undefined {
  const from = runEnd(text, nameEnd, blank, mostBlanks);
  return from > nameEnd ? opened(text, from) : undefined;
}

function signAt(text: string, at: number): string | undefined {
  const code = text.charCodeAt(at);
  if (code !== 61 && code !== 58 && code !== 63 && code !== 124 && code !== 46 && code !== 43 && code !== 45 && code !== 60 && code !== 62 && code !== 44) return undefined;
  return signs.find((sign) => text.startsWith(sign, at));
}

function assigned(text: string, at: number, sign: string): Value | undefined {
  const behind = at + sign.length;
  if (sign === ':') {
    const typed = typedValue(text, behind);
    if (typed >= 0) return opened(text, typed);
  }
  return opened(text, overBlanks(text, behind, sign));
}

/** Past blanks, and past one line break where more of the same stands indented below (elements, block scalars). */
function overBlanks(text: string, from: number, sign: string): number {
  let at = runEnd(text, from, blank, mostBlanks);
  if (sign === ':' && /[|>]/.test(text.charAt(at))) at = runEnd(text, at + (/[+-]/.test(text.charAt(at + 1)) ? 2 : 1), blank, mostBlanks);
  if (sign === ',') return at;
  const below = text.startsWith('\r\n', at) ? at + 2 : text.charCodeAt(at) === 10 ? at + 1 : -1;
  if (below < 0) return at;
  const indented = runEnd(text, below, blank, mostBlanks);
  return indented > below ? indented : at;
}

/** `name: string = value`: where the value is, or -1. */
function typedValue(text: string, from: number): number {
  const type = runEnd(text, from, blank, mostBlanks);
  const end = runEnd(text, type, typeSet, longestWord);
  const sign = runEnd(text, end, blank, mostBlanks);
  if (end === type || text.charCodeAt(sign) !== 61 || sign === end) return -1;
  return runEnd(text, sign + 1, blank, mostBlanks);
}

/** `name="x" value="y"`, `"name": "x", "value": "y"`, `name: x` and `value: y` on the next line: the place of y, or -1. */
function listedValue(text: string, from: number): number {
  let at = runEnd(text, from, spaces, mostBlanks);
  if (text.charAt(at) === ',') at = runEnd(text, at + 1, spaces, mostBlanks);
  if (quotes[text.charCodeAt(at)] === 1) at += 1;
  const code = text.charCodeAt(at) | 32;
  if (code !== 118 || text.slice(at, at + 5).toLowerCase() !== 'value') return -1;
  at = runEnd(text, at + 5, closers, 2);
  at = runEnd(text, at, blank, mostBlanks);
  if (text.charAt(at) !== ':' && text.charAt(at) !== '=') return -1;
  return runEnd(text, at + 1, blank, mostBlanks);
}

/** Past what opens a string: quotes, also escaped ones, a letter before them (`b"`), and one call around it (`env("`). */
function opened(text: string, from: number): Value {
  const direct = overQuotes(text, from);
  if (direct > from) return { from: direct, isQuoted: true };
  const call = runEnd(text, from, callSet, longestName);
  if (call > from && text.charAt(call) === '(') {
    const inside = overQuotes(text, call + 1);
    if (inside > call + 1) return { from: inside, isQuoted: true };
  }
  const prefixed = overQuotes(text, from + 1);
  if (prefixed > from + 1 && /[A-Za-z@]/.test(text.charAt(from))) return { from: prefixed, isQuoted: true };
  return { from, isQuoted: false };
}

function overQuotes(text: string, from: number): number {
  let at = from;
  for (let many = 0; many < 3; many += 1) {
    const quote = runEnd(text, at, backslash, 3);
    if (quotes[text.charCodeAt(quote)] !== 1) break;
    at = quote + 1;
  }
  return at;
}

const backslash = characters('\\');
