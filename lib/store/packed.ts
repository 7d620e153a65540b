/**
 * A snapshot's line of objects: `{"keys":[…],"revisions":[…],"lengths":[…],"values":[…],"sum":…}`. The lengths, in bytes,
 * say where each value stands, so that a reader parses the short part in front and leaves the values as they are.
 */
import { isCount, objectIn } from '../base/json.ts';
import type { WrittenObject } from './objects.ts';
import type { StoreKey } from './store.ts';

/** The objects of one line. Value n is the text from `starts[n]` to `ends[n]` of `values`. */
export interface Packed {
  readonly keys: readonly StoreKey[];
  readonly revisions: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly values: Uint8Array;
}

const opening = '{"keys":[';
/** No key holds a quotation mark, so the first one of these is where the values begin. */
const valuesOpening = ',"values":[';
const [comma, closing] = [0x2c, 0x5d];

/** Whether a line begins as one of these does. */
export function isPacked(line: Buffer): boolean {
  return line.toString('latin1', 0, opening.length) === opening;
}

/** The objects of a line without its closing `,"sum":…`; undefined when it is not as it should be. */
export function packedIn(head: Buffer): Packed | undefined {
  const at = head.indexOf(valuesOpening, 0, 'latin1');
  const body = at < 0 ? undefined : objectIn(`${head.toString('latin1', 0, at)}}`);
  if (body === undefined || head.at(-1) !== closing) return undefined;
  const { keys, revisions, lengths } = body;
  if (!isListOf(keys, isText) || !isListOf(revisions, isCount) || !isListOf(lengths, isCount)) return undefined;
  if (keys.length !== revisions.length || keys.length !== lengths.length) return undefined;
  const values = head.subarray(at + valuesOpening.length, -1);
  const [starts, ends]: [number[], number[]] = [[], []];
  let offset = 0;
  for (const length of lengths) {
    if (length === 0 || (offset > 0 && values[offset - 1] !== comma)) return undefined;
    starts.push(offset);
    ends.push(offset + length);
    offset += length + 1;
  }
  return offset - 1 === values.length ? { keys, revisions, starts, ends, values } : undefined;
}

/** The line with a line feed, room for `tail` bytes left before it, and the place of each value. */
export function packLine(objects: readonly WrittenObject[], tail: number): { readonly bytes: Uint8Array; readonly offsets: readonly number[] } {
  const lists = { keys: objects.map(({ key }) => key), revisions: objects.map(({ revision }) => revision), lengths: objects.map(({ text }) => text.length) };
  const front = `${JSON.stringify(lists).slice(0, -1)}${valuesOpening}`;
  const size = objects.reduce((sum, { text }) => sum + text.length + 1, front.length);
  const bytes = Buffer.allocUnsafeSlow(size + tail + 1);
  bytes.write(front, 0, 'latin1');
  const offsets: number[] = [];
  let at = front.length;
  for (const { text } of objects) {
    offsets.push(at);
    bytes.set(text, at);
    bytes[at + text.length] = comma;
    at += text.length + 1;
  }
  bytes[at - 1] = closing;
  return { bytes, offsets };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is);
}
