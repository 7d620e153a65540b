/**
 * Finds the lines worth parsing by their bytes. Every wanted entry contains certain texts; where none of them stands, no line
 * is even looked at. A needle is a value without its member's name, so that a hit may be none (the name of an actor in
 * somebody's details), which parsing tells; but nothing that is wanted is passed over: a line with escapes that JSON does
 * not need, as only another program writes them, is always parsed.
 */
import { blobMark } from '../blob.ts';
import type { AuditFilter } from './wanted.ts';

/** Groups of needles: a wanted line contains at least one needle of each group. */
export type Needles = readonly (readonly Buffer[])[];

/** Texts that stand in the lines of a log with protected entries. */
export interface ProtectedNeedles {
  /** A line can be of this actor only when it contains one of these texts. */
  actorNeedles(actor: string): readonly string[];
  /** A line can concern this subject only when it contains one of these texts. */
  subjectNeedles(subject: string): readonly string[];
}

/**
 * The needles of a filter. JSON writes plain texts in one way; the beginning or end of a text is left open where a filter
 * leaves it open. What may stand inside an envelope is no needle, unless it is known what stands for it. With `blobs`, what
 * is looked for in details may stand beside the log.
 */
export function needlesOf({ event, level, actor, subject, resource, text }: AuditFilter, hidden?: ProtectedNeedles, blobs = false): Needles {
  const beside = blobs ? [blobMark] : [];
  const groups: (readonly string[])[] = [];
  if (event !== undefined) groups.push([event.endsWith('.*') ? JSON.stringify(event).slice(0, -2) : JSON.stringify(event)]);
  if (level !== undefined) groups.push([JSON.stringify(level)]);
  if (actor !== undefined) groups.push(hidden?.actorNeedles(actor) ?? [JSON.stringify(actor).slice(1)]);
  if (subject !== undefined) groups.push([...(hidden?.subjectNeedles(subject) ?? [JSON.stringify(subject)]), ...beside]);
  if (resource !== undefined && hidden === undefined) groups.push([JSON.stringify(resource)]);
  if (text !== undefined && text !== '' && hidden === undefined) groups.push([text, ...beside]);
  return groups.map((group) => group.map((each) => Buffer.from(each)));
}

/** Where a line stands in a piece: its first byte and its line feed. */
export type LineRange = readonly [start: number, end: number];

const lineFeed = 10;
const backslash = 0x5c;

/** Finds the lines of a piece that may be wanted, first to last. A piece is whole lines. */
export type Finder = (bytes: Buffer) => readonly LineRange[];

/** Looks at the first piece to see which needle is the rarest, and is meant for pieces of one log. */
export function createFinder(needles: Needles): Finder {
  let plan: { readonly first: readonly Sharp[] | undefined; readonly others: Needles } | undefined;
  return (bytes) => {
    plan ??= planFor(bytes.subarray(0, sampleBytes), needles);
    return plan.first === undefined ? everyLine(bytes) : linesWith(bytes, plan.first, plan.others);
  };
}

function linesWith(bytes: Buffer, first: readonly Sharp[], others: Needles): readonly LineRange[] {
  const found: LineRange[] = [];
  const cursors = [...first.map((needle) => createCursor(bytes, needle)), createEscapeCursor(bytes)];
  for (let at = 0; at < bytes.length;) {
    let hit = Infinity;
    for (const cursor of cursors) hit = Math.min(hit, cursor(at));
    if (hit === Infinity) break;
    const start = hit === 0 ? 0 : bytes.lastIndexOf(lineFeed, hit - 1) + 1;
    const end = bytes.indexOf(lineFeed, hit);
    if (others.length === 0 || mayMatch(bytes.subarray(start, end), others)) found.push([start, end]);
    at = end + 1;
  }
  return found;
}

function everyLine(bytes: Buffer): readonly LineRange[] {
  const found: LineRange[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(lineFeed, start);
    found.push([start, end]);
    start = end + 1;
  }
  return found;
}

function mayMatch(line: Buffer, groups: Needles): boolean {
  return groups.every((group) => group.some((needle) => line.includes(needle))) || createEscapeCursor(line)(0) < Infinity;
}

/** So many bytes of a log tell which needle, and which byte, is the rarest. */
const sampleBytes = 1 << 15;

function planFor(sample: Buffer, needles: Needles): { readonly first: readonly Sharp[] | undefined; readonly others: Needles } {
  const counted = needles.map((group) => [group, group.reduce((sum, needle) => sum + count(sample, needle), 0)] as const);
  const [first, ...others] = counted.sort(([, a], [, b]) => a - b).map(([group]) => group);
  return { first: first?.map((needle) => sharpen(sample, needle)), others };
}

/**
 * A needle and the part of it to look for first. A search for up to six bytes jumps from one occurrence of its first byte to
 * the next, so that byte decides how fast a file is looked through: several times, between `"` and a byte that is rare.
 */
interface Sharp {
  readonly whole: Buffer;
  readonly point: Buffer;
  /** Where in the whole the point begins. */
  readonly offset: number;
}

const pointBytes = 6;
const leastPoint = 4;

function sharpen(sample: Buffer, whole: Buffer): Sharp {
  const counts = new Uint32Array(256);
  for (const byte of sample) counts[byte] = (counts[byte] ?? 0) + 1;
  let offset = 0;
  for (let at = 1; at <= whole.length - leastPoint; at += 1) {
    if ((counts[whole[at] ?? 0] ?? 0) < (counts[whole[offset] ?? 0] ?? 0)) offset = at;
  }
  return { whole, offset, point: whole.subarray(offset, offset + pointBytes) };
}

function count(bytes: Buffer, needle: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) found += 1;
  return found;
}

/** Asked with places that grow; answers with the first hit at or after each. */
type Cursor = (at: number) => number;

function createCursor(bytes: Buffer, { whole, point, offset }: Sharp): Cursor {
  let next = -1;
  return (at) => {
    if (next >= at) return next;
    let found = bytes.indexOf(point, at + offset);
    while (found >= 0 && whole.length > point.length && !bytes.subarray(found - offset, found - offset + whole.length).equals(whole)) found = bytes.indexOf(point, found + 1);
    next = found < 0 ? Infinity : found - offset;
    return next;
  };
}

const asIs = (text: string): Sharp => ({ whole: Buffer.from(text), point: Buffer.from(text), offset: 0 });
const unicodeEscape = asIs('\\u');
const slashEscape = asIs('\\/');

/** Finds escapes that this program never writes; a `\u` before what only looks like an escape is passed over. */
function createEscapeCursor(bytes: Buffer): Cursor {
  const unicode = createCursor(bytes, unicodeEscape);
  const slash = createCursor(bytes, slashEscape);
  let next = -1;
  return (at) => {
    if (next >= at) return next;
    let found = unicode(at);
    while (found < Infinity && isNeeded(bytes, found)) found = unicode(found + 2);
    next = Math.min(found, slash(at));
    return next;
  };
}

/** Whether JSON writes the escape at `at` itself, or there is none: an escaped backslash stands before a word that begins with u. */
function isNeeded(bytes: Buffer, at: number): boolean {
  const digits = bytes.toString('latin1', at + 2, at + 6);
  if (!/^[0-9A-Fa-f]{4}$/.test(digits)) return true;
  return /^00(?:0[0-7bef]|1[0-9a-f])$/.test(digits) && bytes[at - 1] !== backslash;
}
