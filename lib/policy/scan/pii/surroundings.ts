/**
 * What stands around a number: whether it is whole, whether it is a value of its own, whether a word beside it says what it
 * is. Each looks at a bounded piece of text.
 */
import { isDigit, isLetter, isWord } from './codes.ts';

/** How far words are looked for before and after. */
const reachBefore = 64;
const reachAfter = 40;
/** Spaces passed over between a value and the edge of its line. */
const mostBlanks = 16;

/** Whether the text from `start` to `end` is no part of a longer number, word, path or dotted name. */
export function isWhole(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 1);
  const after = text.charCodeAt(end);
  if (isWord(before) || isWord(after)) return false;
  const beyond = text.charCodeAt(start - 2);
  return !joins(before, beyond) && !(before === 46 && isWord(beyond)) && !joins(after, text.charCodeAt(end + 1));
}

/** A hyphen or slash joins it to a letter or digit beyond; a dot, colon or plus only to a digit (behind a dot a sentence may begin). */
function joins(mark: number, beyond: number): boolean {
  if (mark === 45 || mark === 47) return isWord(beyond);
  return (mark === 46 || mark === 58 || mark === 43) && isDigit(beyond);
}

/** Whether another group of digits goes on behind a space. */
export function isContinued(text: string, start: number, end: number, onlyBefore: boolean): boolean {
  return (text.charCodeAt(start - 1) === 32 && isDigit(text.charCodeAt(start - 2))) || (!onlyBefore && text.charCodeAt(end) === 32 && isDigit(text.charCodeAt(end + 1)));
}

/** Whether it is all of a line, or all of what quotes or tabs hold. */
export function isValue(text: string, start: number, end: number): boolean {
  return isEdge(text, start - 1, -1) && isEdge(text, end, 1);
}

function isEdge(text: string, from: number, step: 1 | -1): boolean {
  if (isQuote(text.charCodeAt(from))) return true;
  let at = from;
  while (Math.abs(at - from) < mostBlanks && text.charCodeAt(at) === 32) at += step;
  const code = text.charCodeAt(at);
  return Number.isNaN(code) || code === 10 || code === 13 || code === 9;
}

function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 96;
}

/** Words to be looked for: as they are or in the plural; those of scripts that are written without spaces, anywhere. */
export function wordPattern(words: readonly string[]): RegExp {
  const spaced = words.filter((word) => isLetter(word.charCodeAt(0)));
  const others = words.filter((word) => !isLetter(word.charCodeAt(0)));
  return new RegExp([` (?:${spaced.join('|')})s? `, ...others].join('|'));
}

/** Whether one of the words stands close by on the same line, or on the one before. */
export function isBeside(text: string, start: number, end: number, words: RegExp): boolean {
  return words.test(wordsAround(text, start, end));
}

/** The same for one text, remembering the last place: a number is looked at for several kinds. */
export function besideIn(text: string): (start: number, end: number, words: RegExp) => boolean {
  let [from, to, around] = [-1, -1, ''];
  return (start, end, words) => {
    if (start !== from || end !== to) [from, to, around] = [start, end, wordsAround(text, start, end)];
    return words.test(around);
  };
}

function wordsAround(text: string, start: number, end: number): string {
  const before = text.slice(Math.max(0, start - reachBefore), start);
  const previous = before.lastIndexOf('\n', before.lastIndexOf('\n') - 1);
  const after = text.slice(end, end + reachAfter);
  const stop = after.indexOf('\n');
  return ` ${asWords(before.slice(previous + 1))} ${asWords(stop < 0 ? after : after.slice(0, stop))} `;
}

/** Small letters without accents, one space between words; `socialInsuranceNo` and `SOCIAL_INSURANCE_NO` are three words. */
function asWords(text: string): string {
  const apart = text.replace(/([a-z0-9])([A-Z])/g, '$1 $2');
  if (/^[\x00-\x7f]*$/.test(apart)) return apart.toLowerCase().replace(/[^a-z0-9]+/g, ' ');
  return apart.normalize('NFD').replace(/[\u0300-\u036f]+/g, '').normalize('NFC').toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ');
}
