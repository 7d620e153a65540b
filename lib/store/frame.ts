/**
 * The lines of journals and snapshots (docs/formats/store.md): one JSON object a line, closed by `sum`, the first 16 hex
 * digits of the SHA-256 over the sum of the line before and the bytes of this line up to `,"sum"`. A line that was changed,
 * moved, left out or cut is seen; nothing is ever repaired by guessing.
 */
import { createSha256 } from '../base/digest.ts';
import { isCount, objectIn, type JsonValue } from '../base/json.ts';
import { storeFormat } from './format.ts';
import { isPacked, packedIn, packLine } from './packed.ts';
import type { Packed } from './packed.ts';
import type { WrittenObject } from './objects.ts';
import type { StoreChange, StoreEntry } from './store.ts';

/** The sum before the first line of a first journal. */
export const firstSum: string = '0'.repeat(16);

/** First line of a journal or snapshot. `after` is the sum of the journal's last transaction before it. */
export interface BeginFrame {
  readonly kind: 'begin';
  readonly format: number;
  /** Of what the objects mean (lib/store/migrations.ts); format 1 did not say, and meant 1. */
  readonly schema: number;
  readonly generation: number;
  readonly revision: number;
  readonly after: string;
}

/** What the first line is made of. */
export type Begin = Omit<BeginFrame, 'kind' | 'format'>;

/** One durable write: transactions with the revisions `revision`, `revision + 1` … */
export interface CommitFrame {
  readonly kind: 'commit';
  readonly revision: number;
  readonly transactions: readonly (readonly StoreChange[])[];
}

export type Frame =
  | BeginFrame
  | CommitFrame
  /** Last line of a journal: the store goes on in the journal with this generation. */
  | { readonly kind: 'next'; readonly generation: number }
  /** Some objects of a snapshot. */
  | { readonly kind: 'packed'; readonly packed: Packed }
  /** The same in format 1. */
  | { readonly kind: 'objects'; readonly objects: readonly StoreEntry[] }
  /** Last line of a snapshot: how many objects it holds, and the newest revision one of them may have; format 1 does not say. */
  | { readonly kind: 'end'; readonly count: number; readonly revision: number | undefined };

/** A line's frame and its sum. */
export interface Decoded {
  readonly frame: Frame;
  readonly sum: string;
}

/** `,"sum":"0123456789abcdef"}` */
const tailLength = 26;
const tailShape = /^,"sum":"([0-9a-f]{16})"\}$/;

const encoder = new TextEncoder();

/** A change whose value is already JSON text; undefined removes the key. */
export interface WrittenChange {
  readonly key: string;
  readonly text: string | undefined;
}

/** A line with its line feed, and its sum. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly sum: string;
}

export function encodeBegin({ schema, generation, revision, after }: Begin): Encoded {
  return encode(JSON.stringify({ store: storeFormat, schema, generation, revision, after }), after);
}

export function encodeCommit(revision: number, transactions: readonly (readonly WrittenChange[])[], before: string): Encoded {
  const texts = transactions.map((changes) => `[${changes.map(changeText).join(',')}]`);
  return encode(`{"revision":${revision},"transactions":[${texts.join(',')}]}`, before);
}

export function encodeNext(generation: number, before: string): Encoded {
  return encode(JSON.stringify({ next: generation }), before);
}

/** `offsets` are where the values begin in the line; each ends as many bytes later as its text is long. */
export function encodeObjects(objects: readonly WrittenObject[], before: string): Encoded & { readonly offsets: readonly number[] } {
  const { bytes, offsets } = packLine(objects, tailLength);
  const head = bytes.subarray(0, -tailLength - 1);
  const sum = sumOf(before, head);
  bytes.set(encoder.encode(tailOf(sum)), head.length);
  return { bytes, sum, offsets };
}

export function encodeEnd(count: number, revision: number, before: string): Encoded {
  return encode(JSON.stringify({ end: count, revision }), before);
}

/** The frame of a line (without its line feed), or undefined when the line is not whole and as it was written. */
export function decode(line: Uint8Array, before: string | undefined): Decoded | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  const sum = tailShape.exec(bytes.toString('latin1', Math.max(0, bytes.length - tailLength)))?.[1];
  if (sum === undefined) return undefined;
  const head = bytes.subarray(0, -tailLength);
  // The first line of a snapshot names what it is chained to.
  if (before !== undefined && sumOf(before, head) !== sum) return undefined;
  const frame = isPacked(head) ? packedFrame(head) : frameIn(head);
  if (frame === undefined) return undefined;
  return before === undefined && sumOf(frame.kind === 'begin' ? frame.after : '', head) !== sum ? undefined : { frame, sum };
}

function packedFrame(head: Buffer): Frame | undefined {
  const packed = packedIn(head);
  return packed === undefined ? undefined : { kind: 'packed', packed };
}

function frameIn(head: Buffer): Frame | undefined {
  const body = objectIn(`${head.toString('utf8')}}`);
  return body === undefined ? undefined : frameOf(body);
}

function encode(body: string, before: string): Encoded {
  const head = encoder.encode(body.slice(0, -1));
  const sum = sumOf(before, head);
  const bytes = Buffer.allocUnsafe(head.length + tailLength + 1);
  bytes.set(head);
  bytes.write(tailOf(sum), head.length, 'latin1');
  return { bytes, sum };
}

function tailOf(sum: string): string {
  return `,"sum":"${sum}"}\n`;
}

function sumOf(before: string, head: Uint8Array): string {
  const hash = createSha256();
  hash.add(encoder.encode(before));
  hash.add(head);
  return hash.hex().slice(0, 16);
}

function changeText({ key, text }: WrittenChange): string {
  return text === undefined ? `[${JSON.stringify(key)}]` : `[${JSON.stringify(key)},${text}]`;
}

function frameOf(body: Record<string, unknown>): Frame | undefined {
  if (isList(body['transactions'])) return commitOf(body['revision'], body['transactions']);
  if (isList(body['objects'])) return objectsOf(body['objects']);
  if (isCount(body['next'])) return { kind: 'next', generation: body['next'] };
  if (isCount(body['end'])) return { kind: 'end', count: body['end'], revision: isCount(body['revision']) ? body['revision'] : undefined };
  const { store: format, schema = 1, generation, revision, after } = body;
  if (!isCount(format) || !isCount(schema) || !isCount(generation) || !isCount(revision) || typeof after !== 'string') return undefined;
  return { kind: 'begin', format, schema, generation, revision, after };
}

function commitOf(revision: unknown, lists: readonly unknown[]): CommitFrame | undefined {
  if (!isCount(revision)) return undefined;
  const transactions: (readonly StoreChange[])[] = [];
  for (const list of lists) {
    if (!isList(list)) return undefined;
    const changes: StoreChange[] = [];
    for (const pair of list) {
      if (!isList(pair) || typeof pair[0] !== 'string') return undefined;
      changes.push({ key: pair[0], value: jsonValue(pair[1]) });
    }
    transactions.push(changes);
  }
  return { kind: 'commit', revision, transactions };
}

function objectsOf(list: readonly unknown[]): Frame | undefined {
  const objects: StoreEntry[] = [];
  for (const item of list) {
    if (!isList(item)) return undefined;
    const [key, revision, given] = item;
    const value = jsonValue(given);
    if (typeof key !== 'string' || !isCount(revision) || value === undefined) return undefined;
    objects.push({ key, value, revision });
  }
  return { kind: 'objects', objects };
}

/** What came out of JSON.parse is a JSON value; undefined is a missing list member. */
function jsonValue(value: unknown): JsonValue | undefined {
  return value as JsonValue | undefined;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
