/**
 * What a condition says about one field, in a form in which two conditions can be compared: the sets, ranges and patterns of
 * their comparisons. Whatever has no such form is a sentence of its own, equal to itself alone, so that nothing is concluded
 * from it.
 */
import { globCovers, globsExclude, type Effort, type GlobShape } from '../../base/glob-cover.ts';
import { compileGlob } from '../../base/glob.ts';
import type { Rule } from '../rules.ts';

/** Numbers between two bounds; a bound that is `open` is no member itself. */
export interface Range {
  readonly low: number;
  readonly lowOpen: boolean;
  readonly high: number;
  readonly highOpen: boolean;
}

export type Saying =
  | { readonly is: 'one of'; readonly values: ReadonlySet<string> }
  | { readonly is: 'within'; readonly range: Range }
  | { readonly is: 'matches'; readonly patterns: readonly GlobShape[] }
  | { readonly is: 'starts'; readonly directories: ReadonlySet<string> }
  | { readonly is: 'exists' }
  | { readonly is: 'same'; readonly text: string }
  | { readonly is: 'special'; readonly rule: Rule };

/**
 * A saying about a field that holds, or where not `positive` does not. Of a field with several readings (a path, a command
 * line, a URL) it holds for at least one of them.
 */
export interface Fact {
  readonly is: 'fact';
  readonly field: string;
  readonly positive: boolean;
  readonly saying: Saying;
}

/** Whether a field can be read in several ways, or names one that can: then two facts may be about different readings. */
export function hasReadings(field: string): boolean {
  return severalReadings.test(field);
}

const severalReadings = /\b(?:command|url|file_path|path|cwd|project_dir)\b/;

/** Whether `known` makes `wanted` certain, reading by reading. */
export function implies(known: Fact, wanted: Fact, effort: Effort): boolean {
  if (known.field !== wanted.field) return false;
  // What is permitted of a command is looked for in its parts alone, so what holds of the whole line says nothing there.
  if (known.field === 'command' && known.positive && !wanted.positive) return false;
  if (wanted.saying.is === 'exists') return known.saying.is === 'exists' ? known.positive === wanted.positive : wanted.positive && provesPresence(known);
  if (known.positive && wanted.positive) return narrower(known.saying, wanted.saying, effort);
  if (!known.positive && !wanted.positive) return narrower(wanted.saying, known.saying, effort);
  return known.positive && !wanted.positive && excludes(known.saying, wanted.saying);
}

function provesPresence({ positive, saying }: Fact): boolean {
  if (saying.is === 'within') return true;
  return positive && saying.is === 'one of' && !saying.values.has('');
}

/** Whether all that is meant by `a` is also meant by `b`. */
function narrower(a: Saying, b: Saying, effort: Effort): boolean {
  if (a.is === 'one of' && b.is === 'one of') return [...a.values].every((value) => b.values.has(value));
  if (a.is === 'one of' && b.is === 'matches') return [...a.values].every((value) => matchesAny(value, b));
  if (a.is === 'within' && b.is === 'within') return isWithin(a.range, b.range);
  if (a.is === 'matches' && b.is === 'matches') return a.patterns.every((pattern) => b.patterns.some((other) => globCovers(other, pattern, effort)));
  if (a.is === 'starts' && b.is === 'starts') return [...a.directories].every((directory) => b.directories.has(directory));
  if (a.is === 'special' && b.is === 'special') return specialImplies(a.rule, b.rule);
  return a.is === 'same' && b.is === 'same' && a.text === b.text;
}

/** Whether nothing can be meant by both. */
function excludes(a: Saying, b: Saying): boolean {
  if (a.is === 'one of' && b.is === 'one of') return [...a.values].every((value) => !b.values.has(value));
  if (a.is === 'one of' && b.is === 'matches') return [...a.values].every((value) => matchesNone(value, b));
  if (a.is === 'matches' && b.is === 'one of') return excludes(b, a);
  if (a.is === 'matches' && b.is === 'matches') return a.patterns.every((one) => b.patterns.every((other) => globsExclude(one, other)));
  return false;
}

type Matches = Extract<Saying, { readonly is: 'matches' }>;

/** Certain only for text, and for absolute paths without `.` and `..`: others are made absolute first. */
function matchesAny(value: string, { patterns }: Matches): boolean {
  return patterns.some(({ pattern, kind }) => {
    if (kind === 'path' && !/^(?:\/(?!\.{0,2}(?:\/|$))[^/]+)+$/.test(value)) return false;
    const test = compileGlob(pattern, kind);
    return typeof test === 'function' && test(value);
  });
}

function matchesNone(value: string, { patterns }: Matches): boolean {
  return patterns.every(({ pattern, kind }) => {
    const test = compileGlob(pattern, kind);
    return kind === 'text' && typeof test === 'function' && !test(value);
  });
}

/** The values a set keeps under another fact about the same reading. */
export function keeps(value: string, { positive, saying }: Fact): boolean {
  if (saying.is === 'one of') return saying.values.has(value) === positive;
  if (saying.is === 'matches') return positive ? !matchesNone(value, saying) : !matchesAny(value, saying);
  if (saying.is === 'exists') return (value !== '') === positive;
  return true;
}

/** Whether two facts about one reading can never hold together. */
export function contradict(a: Fact, b: Fact, effort: Effort): boolean {
  if (a.saying.is === 'exists' || b.saying.is === 'exists') {
    const [exists, other] = a.saying.is === 'exists' ? [a, b] : [b, a];
    return other.saying.is === 'exists' ? exists.positive !== other.positive : !exists.positive && provesPresence(other);
  }
  if (a.positive && b.positive) return excludes(a.saying, b.saying);
  if (a.positive !== b.positive) return a.positive ? narrower(a.saying, b.saying, effort) : narrower(b.saying, a.saying, effort);
  return false;
}

export const everyNumber: Range = { low: -Infinity, lowOpen: false, high: Infinity, highOpen: false };

function isWithin(a: Range, b: Range): boolean {
  return (a.low > b.low || (a.low === b.low && (a.lowOpen || !b.lowOpen))) && (a.high < b.high || (a.high === b.high && (a.highOpen || !b.highOpen)));
}

/** The numbers that are in both; undefined when there is none. */
export function common(a: Range, b: Range): Range | undefined {
  const [low, lowOpen] = a.low > b.low ? [a.low, a.lowOpen] : b.low > a.low ? [b.low, b.lowOpen] : [a.low, a.lowOpen || b.lowOpen];
  const [high, highOpen] = a.high < b.high ? [a.high, a.highOpen] : b.high < a.high ? [b.high, b.highOpen] : [a.high, a.highOpen || b.highOpen];
  return low > high || (low === high && (lowOpen || highOpen)) ? undefined : { low, lowOpen, high, highOpen };
}

/** Whether one special rule is violated whenever the other is. */
function specialImplies(known: Rule, wanted: Rule): boolean {
  if (known.is === 'gates' && wanted.is === 'gates') return known.gates.every((gate) => wanted.gates.includes(gate));
  if (known.is === 'data' && wanted.is === 'data') {
    const sources = new Set(wanted.patterns.map(({ source }) => source));
    return (known.type === undefined || known.type === wanted.type) && known.patterns.every(({ source }) => sources.has(source)) && sameElse(known, wanted, ['type', 'patterns']);
  }
  if (known.is !== 'budget' || wanted.is !== 'budget' || !sameElse(known, wanted, ['maxTokens', 'alerts', 'onExceed', 'providers'])) return false;
  const covers = wanted.providers === undefined || known.providers?.every((provider) => wanted.providers?.includes(provider)) === true;
  return covers && (wanted.maxTokens ?? Infinity) <= (known.maxTokens ?? Infinity);
}

/** What every rule has, and what is compared elsewhere. */
const inEveryRule: readonly string[] = ['is', 'name', 'point', 'place', 'line', 'column', 'layer', 'action', 'monitor', 'when', 'rule'];

/** Whether two rules say the same in all other members. */
function sameElse(a: Rule, b: Rule, compared: readonly string[]): boolean {
  const rest = (rule: Rule): string => JSON.stringify(Object.entries(rule).filter(([key]) => !inEveryRule.includes(key) && !compared.includes(key)).sort());
  return rest(a) === rest(b);
}
