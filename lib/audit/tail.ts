/**
 * Where a chain file stands, found by reading its end only. The last lines are checked against each other, because a power
 * cut may leave a tail whose lines end well and whose middle never reached the disk.
 */
import { linesOf, type Readable } from '../journal/lines.ts';
import { claimedHash, createLineHasher, seqOf, type ChainTail } from './chain.ts';

/** How far back the end of a file is checked. No batch is longer, so nothing before it can be half-written. */
export const tailWindow: number = 256 * 1024;

/**
 * The end of a file as found: good, damaged by a power cut (zeros where text should be), or damaged otherwise; then with
 * the last sealed line's state, if there is one.
 */
export type FoundTail =
  | { readonly kind: 'empty' }
  | { readonly kind: 'good'; readonly tail: ChainTail }
  | { readonly kind: 'zeros'; readonly offset: number }
  | { readonly kind: 'damaged'; readonly offset: number; readonly tail: ChainTail | undefined };

/** Reads the last lines of the first `size` bytes. `known` is the state at byte `from`, when that is known. */
export function findTail(file: Readable, size: number, from: number, known: ChainTail | undefined): FoundTail {
  if (size === 0) return { kind: 'empty' };
  const start = Math.max(from, size - tailWindow);
  const bytes = asBuffer(file.read(start, size - start));
  const hasher = createLineHasher();
  let previous = start === from ? known?.hash : undefined;
  let last: { readonly start: number; readonly end: number } | undefined;
  // In the middle of a file the window most likely begins inside a line, which is then left out.
  let skip = start > from;
  for (const [lineStart, lineEnd] of linesOf(bytes)) {
    if (skip) { skip = false; continue; }
    const claimed = sealOf(bytes, lineStart, lineEnd);
    const wrong = claimed === undefined || (previous !== undefined && hasher.hash(previous, bytes, lineStart, lineEnd) !== claimed);
    if (wrong && bytes.indexOf(0, lineStart) >= 0) return { kind: 'zeros', offset: start + lineStart };
    if (wrong) return { kind: 'damaged', offset: start + lineStart, tail: lastTail(bytes) };
    previous = claimed;
    last = { start: lineStart, end: lineEnd };
  }
  if (last === undefined) return { kind: 'damaged', offset: start, tail: lastTail(bytes) };
  return { kind: 'good', tail: readTail(bytes, last.start, last.end) };
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The hash of a line that can be an entry: it begins with its number and has no NUL, which JSON never holds. The first line
 * that is looked at has nothing to be checked against, and zeros may stand before or within a seal that is whole.
 */
function sealOf(bytes: Buffer, start: number, end: number): string | undefined {
  const isEntry = seqOf(bytes, start, end) >= 0 && !bytes.subarray(start, end).includes(0);
  return isEntry ? claimedHash(bytes, start, end) : undefined;
}

function lastTail(bytes: Buffer): ChainTail | undefined {
  let found: ChainTail | undefined;
  for (const [start, end] of linesOf(bytes)) if (sealOf(bytes, start, end) !== undefined) found = readTail(bytes, start, end);
  return found;
}

/** Sequence number, hash and time of a sealed line; what cannot be read counts as the beginning of a chain. */
function readTail(bytes: Buffer, start: number, end: number): ChainTail {
  const text = bytes.subarray(start, end).toString('utf8');
  const time = Date.parse(/"timestamp":"([^"]{20,30})"/.exec(text.slice(0, 200))?.[1] ?? '');
  return { seq: Math.max(0, seqOf(bytes, start, end)), hash: claimedHash(bytes, start, end) ?? '0'.repeat(64), time: Number.isNaN(time) ? 0 : time };
}
