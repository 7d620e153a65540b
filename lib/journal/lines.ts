/**
 * Reads a file of lines in pieces of bounded size. A piece always begins at the start of a line and ends after a line feed,
 * except the last one, which may hold a tail without one.
 */
import type { ReadFile, RecordFile } from '../ports.ts';

/** What is read at a time. Large enough that the system call does not show, small enough for the processor's cache. */
const pieceBytes = 1 << 18;

/** The longest line that is read whole. Nobody writes longer ones, and memory must not grow with what somebody made of a file. */
const longestLine = 1 << 23;

const lineFeed = 10;

/** Anything with bytes at positions. */
export type Readable = Pick<ReadFile, 'read'> | Pick<RecordFile, 'read'>;

/**
 * Whole lines, and where in the file they begin. `complete` is false for what has no line feed: the file's tail, or the
 * beginning of a line of more than 8 MiB, after which no more is read.
 */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly complete: boolean;
}

/**
 * Pieces from byte `from` (a line's start) to byte `to`. All of them share memory, which saves the kernel a page fault
 * every 4 KiB: a piece's bytes are good until the next one is asked for. The `room` bytes of memory before them are the
 * caller's, when it asks for any.
 */
export function* pieces(file: Readable, from: number, to: number, room = 0): Generator<Piece> {
  let memory = Buffer.allocUnsafeSlow(room + Math.min(pieceBytes, to - from));
  let offset = from;
  let length = pieceBytes;
  while (offset < to) {
    const wanted = Math.min(length, to - offset);
    if (memory.length - room < wanted) memory = Buffer.allocUnsafeSlow(room + wanted);
    const bytes = file.read(offset, wanted, memory.subarray(room));
    if (bytes.length === 0) return;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      yield { bytes: bytes.subarray(0, end), offset, complete: true };
      offset += end;
      length = pieceBytes;
    } else if (offset + bytes.length >= to || bytes.length < wanted || length >= longestLine) {
      // The end as it was, as it is now that somebody cut the file meanwhile, or no line of ours.
      yield { bytes, offset, complete: false };
      return;
    } else {
      // A line longer than a piece: read again, twice as much.
      length *= 2;
    }
  }
}

/** Start and end (without line feed) of each line in a piece's bytes. */
export function* linesOf(bytes: Uint8Array): Generator<readonly [start: number, end: number]> {
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    yield [start, end];
    start = end + 1;
  }
}

/** Offset after the last line feed among the first `size` bytes, looking back at most `window` bytes; -1 when there is none in it. */
export function endOfLastLine(file: Readable, size: number, window: number): number {
  const from = Math.max(0, size - window);
  const found = file.read(from, size - from).lastIndexOf(lineFeed);
  if (found >= 0) return from + found + 1;
  return from === 0 ? 0 : -1;
}
