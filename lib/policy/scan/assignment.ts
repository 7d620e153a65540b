/**
 * Secrets without a form of their own: a name that says secret, and a value beside it that looks random. Random means mixed
 * characters and high entropy; a reference to a variable, a call, a path, a word or a placeholder does not count.
 */
import { characters, entropy, isPlaceholder, runEnd } from './matcher.ts';
import type { Matcher } from './matcher.ts';
import { isReference } from './structures.ts';

const names = /api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|credential|private[_-]?key|client[_-]?id|auth[_-]?key/gi;
const nameRest = characters('A-Za-z0-9_.-');
const blank = characters(' \t');
const value = characters('A-Za-z0-9_+/=.~!@%^&*$-');
const longestValue = 256;

/** The place of the value in `name = "value"`, `name: value`, `name => 'value'`, `name := value`. */
function valueAfter(text: string, from: number): number {
  let at = runEnd(text, from, nameRest, 48);
  if (isQuote(text.charAt(at))) at += 1;
  if (text.charAt(at) === ']') at += 1;
  at = runEnd(text, at, blank, 16);
  const sign = /^(?:=>|:=|\|\|=|==?|:)/.exec(text.slice(at, at + 3))?.[0];
  if (sign === undefined) return -1;
  at = runEnd(text, at + sign.length, blank, 16);
  return at;
}

function isQuote(char: string): boolean {
  return char === '"' || char === "'" || char === '`';
}

export const assignmentMatcher: Matcher = (text, report) => {
  let covered = 0;
  for (const match of text.matchAll(names)) {
    if (match.index < covered) continue;
    const place = valueAfter(text, match.index + match[0].length);
    if (place < 0) continue;
    const isQuoted = isQuote(text.charAt(place));
    const from = isQuoted ? place + 1 : place;
    const end = runEnd(text, from, value, longestValue + 1);
    covered = end;
    const found = text.slice(from, end);
    if (!looksRandom(found, isQuoted) || text.charAt(end) === '(' || text.charAt(end) === '[') continue;
    report({ rule: 'generic-secret', offset: from, length: end - from, confidence: isQuoted ? 'medium' : 'low' });
  }
};

function looksRandom(found: string, isQuoted: boolean): boolean {
  if (found.length < (isQuoted ? 10 : 16) || found.length > longestValue) return false;
  if (!/\d/.test(found) || !/[A-Za-z]/.test(found) || isReference(found) || isPlaceholder(found)) return false;
  if (/^[a-z][A-Za-z]*(?:[._][a-zA-Z]+)+\d{0,2}$/.test(found) || /^[./~]/.test(found) || /^[a-z]+(?:-[a-z]+)+-?\d{0,3}$/.test(found)) return false;
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(found) || /^[a-z][\w-]*(?:\.[\w-]+)+(?::\d+)?$/.test(found)) return false;
  return entropy(found) >= (found.length >= 20 ? 3.2 : 3);
}
