/**
 * What a vendor's table says, and how it is made to look: a shape that speaks for itself is found by its own letters, a
 * shape that does not is believed only as the value of a name that says whose it is.
 */
import { longestName, nameSet, valueAfter, valueBehindBlank } from './assignment.ts';
import { doubtOf, isReference } from './filler.ts';
import type { Doubt } from './filler.ts';
import { characters, endsWord, startsWord } from './matcher.ts';
import type { Confidence } from './matcher.ts';
import { isPublished } from './published.ts';
import { entropy, rarity } from './rarity.ts';
import type { Detector, Scan } from './scan.ts';
import { parseShape, shapeEnd } from './shape.ts';
import type { Segment } from './shape.ts';

/** One kind of credential. */
export interface SecretRule {
  readonly id: string;
  /** Spellings in the notation of shape.ts; any of them will do. */
  readonly shapes: readonly string[];
  /** Names, in lower case, that say whose value it is. Without any, the shape is enough. */
  readonly names?: readonly string[];
  /** How sure a find is: by default `high` for a shape that speaks for itself, `medium` for the value of a name. */
  readonly confidence?: Confidence;
  /** Whether the checksum in it agrees. Agreement makes a find `high`, disagreement `medium`: many tokens in use predate it. */
  readonly checksum?: (found: string) => boolean;
  /** Texts that must be found, and texts that must not; runs are written as in shapes. The tests put characters for them. */
  readonly catches?: readonly string[];
  readonly ignores?: readonly string[];
}

/** Whose credentials, and what they look like. */
export interface Vendor {
  readonly vendor: string;
  readonly rules: readonly SecretRule[];
}

/** A prefix this long leaves no doubt about what stands there: a filler behind it makes the find less sure, no more. */
const unmistakable = 12;
/** A prefix shorter than this may begin a word; what stands behind it must not be one. */
const telling = 6;
/** Names this short are found inside other words, so they must be a word of the name. */
const shortName = 5;

/** A shape of a rule, and how many characters stand fixed at its front. */
interface Shape {
  readonly rule: SecretRule;
  readonly segments: readonly Segment[];
  readonly lead: number;
}

function shapeOf(rule: SecretRule, spelled: string): Shape {
  const segments = parseShape(spelled);
  return { rule, segments, lead: typeof segments[0] === 'string' ? segments[0].length : 0 };
}

/** A rule found by the letters of its shape. Throws when a shape has none to find it by. */
export function tokenDetectors(rule: SecretRule): readonly Detector[] {
  return rule.shapes.map((spelled) => {
    const shape = shapeOf(rule, spelled);
    const { text, before } = anchorOf(shape.segments, spelled);
    const beginsWithWord = shape.lead === 0 || !endsWord(spelled, 0);
    return {
      text: text.toLowerCase(),
      found(scan: Scan, at: number): void {
        const from = at - before;
        if (from < 0 || (beginsWithWord && !startsWord(scan.text, from))) return;
        const end = shapeEnd(shape.segments, scan.text, from, scan.runs);
        if (end >= 0 && endsWord(scan.text, end)) judge(scan, shape, from, end);
      },
    };
  });
}

/** The longest literal that has only runs of one length before it, and how many characters those are. */
function anchorOf(segments: readonly Segment[], shape: string): { readonly text: string; readonly before: number } {
  let [text, before, length] = ['', 0, 0];
  for (const segment of segments) {
    if (typeof segment === 'string') {
      if (segment.length > text.length) [text, before] = [segment, length];
      length += segment.length;
    } else if (segment.least === segment.most) length += segment.least;
    else break;
  }
  if (text.length < 2) throw new Error(`shape ${shape}: nothing to find it by`);
  return { text, before };
}

/** Names -> the rules for their values. */
export function nameDetectors(rules: readonly SecretRule[]): readonly Detector[] {
  const byName = new Map<string, SecretRule[]>();
  for (const rule of rules) {
    for (const name of rule.names ?? []) {
      const own = byName.get(name);
      if (own === undefined) byName.set(name, [rule]);
      else own.push(rule);
    }
  }
  return Array.from(byName, ([name, own]) => nameDetector(name, own));
}

function nameDetector(name: string, rules: readonly SecretRule[]): Detector {
  let shapes: readonly Shape[] | undefined;
  return {
    text: name,
    found(scan: Scan, at: number): void {
      if (name.length <= shortName && !isWordOf(scan.text, at, at + name.length)) return;
      const nameEnd = scan.runs.end(at + name.length, nameSet);
      if (nameEnd - at > longestName + name.length) return;
      const assigned = valueAfter(scan.text, nameEnd, 'words');
      const next = valueBehindBlank(scan.text, nameEnd);
      if (assigned === undefined && next === undefined) return;
      shapes ??= rules.flatMap((rule) => rule.shapes.map((shape) => shapeOf(rule, shape)));
      for (const shape of shapes) {
        if (assigned !== undefined) lookAtValue(scan, shape, assigned.from);
        if (next !== undefined && next.from !== assigned?.from) lookAtValue(scan, shape, next.from);
      }
    },
  };
}

/** A class may hold `=`, which may also be the second half of the sign before the value: up to two are tried as both. */
function lookAtValue(scan: Scan, shape: Shape, start: number): void {
  for (let from = start; from <= start + 2; from += 1) {
    const end = shapeEnd(shape.segments, scan.text, from, scan.runs);
    if (end >= 0 && endsValue(scan.text, end)) {
      judge(scan, shape, from, end);
      return;
    }
    if (scan.text.charAt(from) !== '=') return;
  }
}

/** Whether a word begins at `from` and is over at `end`, by other characters than letters or by a change of case. */
function isWordOf(text: string, from: number, end: number): boolean {
  const [before, first, last, next] = [text.charAt(from - 1), text.charAt(from), text.charAt(end - 1), text.charAt(end)];
  const begins = !/[A-Za-z]/.test(before) || (/[a-z]/.test(before) && /[A-Z]/.test(first));
  return begins && !/[a-z]/.test(next) && !(/[A-Z]/.test(last) && /[A-Z]/.test(next));
}

const valueCharacters = characters('A-Za-z0-9_+/=~%-');

/** Whether a value is over at `at`. */
function endsValue(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (valueCharacters[code] === 1) return false;
  return code !== 46 || endsWord(text, at + 1);
}

/** Digits have no words, hexadecimal ones neither; all else must be unlike words, the more so where no digit is in it. */
function looksRandom(value: string): boolean {
  const letters = value.replace(/[^A-Za-z]+/g, '').length;
  if (letters * 2 < value.length || /^[\da-fA-F-]+$/.test(value)) return entropy(value) >= 2;
  return rarity(value) >= (letters < value.length ? 4 : 5.2);
}

function judge(scan: Scan, shape: Shape, from: number, end: number): void {
  // What lies within one that was judged is not judged again: a long run may hold any number of beginnings.
  if (from < (scan.judged.get(shape) ?? 0)) return;
  scan.judged.set(shape, end);
  const { rule, segments, lead } = shape;
  const found = scan.text.slice(from, end);
  const body = segments.reduce<string>((rest, segment) => typeof segment === 'string' ? rest.replace(segment, '') : rest, found);
  if ((lead < telling || !/\d/.test(body)) && lead < unmistakable && !looksRandom(body)) return;
  const doubt = doubtOf(body);
  if (doubt === 'placeholder' || (doubt === 'filler' && lead < unmistakable) || isReference(body) || isPublished(found)) return;
  scan.report({ rule: rule.id, offset: from, length: end - from, confidence: sureness(rule, found, doubt) }, rule.names === undefined ? 'own' : 'named');
}

function sureness(rule: SecretRule, found: string, doubt: Doubt): Confidence {
  if (rule.checksum?.(found) === true) return 'high';
  if (doubt !== 'none') return 'low';
  if (rule.checksum !== undefined) return 'medium';
  return rule.confidence ?? (rule.names === undefined ? 'high' : 'medium');
}
