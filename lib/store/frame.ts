/**
 * The lines of journals and snapshots (docs/formats/store.md): one JSON object a line, closed by `sum`, the first 16 hex
 * digits of the SHA-256 over the sum of the line before and the bytes of this line up to `,"sum"`. A line that was changed,
 * moved, left out or cut is seen; nothing is ever repaired by guessing.
 */
import { sha256Hex } from '../base/digest.ts';
import { isCount, objectIn, type JsonValue } from '../base/json.ts';
import type { StoreChange, StoreEntry } from './store.ts';

/** Number of the format this code writes, and the only one it reads. */
export const storeFormat = 1;

/** The sum before the first line of a first journal. */
export const firstSum: string = '0'.repeat(16);

/** First line of a journal or snapshot. `after` is the sum of the journal's last transaction before it. */
export interface BeginFrame {
  readonly kind: 'begin';
  readonly format: number;
  readonly generation: number;
  readonly revision: number;
  readonly after: string;
}

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
  | { readonly kind: 'objects'; readonly objects: readonly StoreEntry[] }
  /** Last line of a snapshot: how many objects it holds. */
  | { readonly kind: 'end'; readonly count: number };

/** A line's frame and its sum. */
export interface Decoded {
  readonly frame: Frame;
  readonly sum: string;
}

/** `,"sum":"0123456789abcdef"}` */
const tailLength = 26;
const tailShape = /^,"sum":"([0-9a-f]{16})"\}$/;

const decoder = new TextDecoder();
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

export function encodeBegin(generation: number, revision: number, after: string): Encoded {
  return encode(JSON.stringify({ store: storeFormat, generation, revision, after }), after);
}

export function encodeCommit(revision: number, transactions: readonly (readonly WrittenChange[])[], before: string): Encoded {
  const texts = transactions.map((changes) => `[${changes.map(changeText).join(',')}]`);
  return encode(`{"revision":${revision},"transactions":[${texts.join(',')}]}`, before);
}

export function encodeNext(generation: number, before: string): Encoded {
  return encode(JSON.stringify({ next: generation }), before);
}

export function encodeObjects(objects: readonly StoreEntry[], before: string): Encoded {
  return encode(JSON.stringify({ objects: objects.map(({ key, revision, value }) => [key, revision, value]) }), before);
}

export function encodeEnd(count: number, before: string): Encoded {
  return encode(JSON.stringify({ end: count }), before);
}

/** The frame of a line (without its line feed), or undefined when the line is not whole and as it was written. */
export function decode(line: Uint8Array, before: string | undefined): Decoded | undefined {
  const text = decoder.decode(line);
  const sum = tailShape.exec(text.slice(-tailLength))?.[1];
  if (sum === undefined) return undefined;
  const head = text.slice(0, -tailLength);
  const body = objectIn(`${head}}`);
  if (body === undefined) return undefined;
  const frame = frameOf(body);
  if (frame === undefined) return undefined;
  const chainedTo = before ?? (frame.kind === 'begin' ? frame.after : '');
  return sumOf(chainedTo, head) === sum ? { frame, sum } : undefined;
}

function encode(body: string, before: string): Encoded {
  const head = body.slice(0, -1);
  const sum = sumOf(before, head);
  return { bytes: encoder.encode(`${head},"sum":"${sum}"}\n`), sum };
}

function sumOf(before: string, head: string): string {
  return sha256Hex(before + head).slice(0, 16);
}

function changeText({ key, text }: WrittenChange): string {
  return text === undefined ? `[${JSON.stringify(key)}]` : `[${JSON.stringify(key)},${text}]`;
}

function frameOf(body: Record<string, unknown>): Frame | undefined {
  if (isList(body['transactions'])) return commitOf(body['revision'], body['transactions']);
  if (isList(body['objects'])) return objectsOf(body['objects']);
  if (isCount(body['next'])) return { kind: 'next', generation: body['next'] };
  if (isCount(body['end'])) return { kind: 'end', count: body['end'] };
  const { store: format, generation, revision, after } = body;
  if (!isCount(format) || !isCount(generation) || !isCount(revision) || typeof after !== 'string') return undefined;
  return { kind: 'begin', format, generation, revision, after };
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
