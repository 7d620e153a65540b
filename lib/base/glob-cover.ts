/**
 * Whether one glob matches all that another one matches. Answers yes only where that is certain: the narrower pattern is read
 * as a text in which a star is a character of its own, which nothing but a star of the wider pattern takes.
 */
import { classEnd, compileGlob, expandBraces, type GlobKind } from './glob.ts';

/** Patterns whose braces stand for more are not compared. */
const mostAlternatives = 16;
/** Pairs of longer patterns are not compared. */
export const mostSteps: number = 1 << 16;

/** What it takes to see that two patterns begin or end differently. */
const stepsOfALook = 4;

/** How many more steps comparing may take, over many pairs; with none left nothing is certain any more. */
export interface Effort { left: number }

/** One place of a pattern: `=a` that character, `?` any one, `[…` one of a class, `*` any number. */
type Place = string;

/** A pattern without braces, taken apart; a text has one part, a path one for each component. */
interface Alternative {
  readonly length: number;
  readonly parts: readonly (readonly Place[] | 'any number')[];
  /** What every match begins and ends with. */
  readonly beginning: string;
  readonly ending: string;
}

/** A pattern as it is compared with others. */
export interface GlobShape {
  readonly pattern: string;
  readonly kind: GlobKind;
  readonly alternatives: readonly Alternative[];
}

/** Takes a pattern apart. One that does not parse, or stands for too many, has no alternative: it covers nothing, and nothing covers it. */
export function globShape(pattern: string, kind: GlobKind): GlobShape {
  const alternatives = expandBraces(pattern);
  const read = Array.isArray(alternatives) && alternatives.length <= mostAlternatives ? alternatives.map((one) => alternativeOf(one, kind)) : [];
  return { pattern, kind, alternatives: read.every((one) => one !== undefined) ? read : [] };
}

function alternativeOf(pattern: string, kind: GlobKind): Alternative | undefined {
  const parts: (readonly Place[] | 'any number')[] = [];
  for (const part of kind === 'text' ? [pattern] : pattern.split('/')) {
    const places = kind === 'path' && part === '**' ? 'any number' : placesOf(part);
    if (places === undefined) return undefined;
    parts.push(places);
  }
  const [first, last] = [parts[0] ?? [], parts[parts.length - 1] ?? []];
  return { length: pattern.length, parts, beginning: first === 'any number' ? '' : literal(first), ending: last === 'any number' ? '' : reversed(literal(last.toReversed())) };
}

/** The characters before the first place that is none. */
function literal(places: readonly Place[]): string {
  const end = places.findIndex((place) => !place.startsWith('='));
  return (end < 0 ? places : places.slice(0, end)).map((place) => place.slice(1)).join('');
}

function reversed(text: string): string {
  return text.split('').reverse().join('');
}

/** Whether every text that `narrow` matches is certain to be matched by `wide`. */
export function globCovers(wide: GlobShape, narrow: GlobShape, effort: Effort): boolean {
  if (wide.kind !== narrow.kind) return false;
  // A pattern covers itself, whatever is left.
  return wide.pattern === narrow.pattern || narrow.alternatives.length > 0 && narrow.alternatives.every((one) => effort.left >= 0 && wide.alternatives.some((other) => covers(other, one, effort)));
}

function covers(wide: Alternative, narrow: Alternative, effort: Effort): boolean {
  effort.left -= stepsOfALook;
  const steps = wide.length * narrow.length;
  if (!narrow.beginning.startsWith(wide.beginning) || !narrow.ending.endsWith(wide.ending) || steps > mostSteps || effort.left < steps) return false;
  effort.left -= steps;
  return runs(wide.parts, narrow.parts, (part) => part === 'any number', (part, other) => part !== 'any number' && other !== 'any number' && runs(part, other, isStar, placeCovers));
}

function isStar(place: Place): boolean {
  return place === '*';
}

/** The places of a pattern; undefined where it does not parse. */
function placesOf(pattern: string): readonly Place[] | undefined {
  const places: Place[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '[') {
      const end = classEnd(pattern, at);
      if (end < 0) return undefined;
      places.push(pattern.slice(at, end));
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (at === pattern.length) return undefined;
      places.push(`=${pattern.charAt(at)}`);
    } else places.push(char === '*' || char === '?' ? char : `=${char}`);
  }
  return places;
}

function placeCovers(wide: Place, narrow: Place): boolean {
  if (narrow === '*') return false;
  if (wide === '?' || wide === narrow) return true;
  if (!wide.startsWith('[') || !narrow.startsWith('=')) return false;
  const test = compileGlob(`${wide}]`, 'text');
  return typeof test === 'function' && test(narrow.slice(1));
}

/** As a glob is matched: where it does not go on, the last star takes one more. */
function runs<Part>(wide: readonly Part[], narrow: readonly Part[], star: (part: Part) => boolean, fits: (wide: Part, narrow: Part) => boolean): boolean {
  let [at, starred, resume] = [0, -1, 0];
  for (let from = 0; from < narrow.length;) {
    const [part, other] = [wide[at], narrow[from]];
    if (part !== undefined && star(part)) {
      [starred, resume] = [at, from];
      at += 1;
    } else if (part !== undefined && other !== undefined && fits(part, other)) {
      at += 1;
      from += 1;
    } else if (starred >= 0) {
      resume += 1;
      [at, from] = [starred + 1, resume];
    } else return false;
  }
  return wide.slice(at).every(star);
}

/** Whether two patterns of texts have beginnings that no text can both have. */
export function globsExclude(one: GlobShape, other: GlobShape): boolean {
  return one.kind === 'text' && other.kind === 'text'
    && one.alternatives.every((a) => other.alternatives.every((b) => !a.beginning.startsWith(b.beginning) && !b.beginning.startsWith(a.beginning)));
}
