/**
 * A stretch of a file in pieces of whole lines, from either end. All pieces share memory: a piece is good until the next one
 * is asked for. A line that is longer than a piece is no entry and is left out, so that neither memory nor time grows with
 * what somebody made of a file; and so is a tail without a line feed, which is no line yet.
 */
import type { ReadFile } from '../../ports.ts';
import { asBuffer } from '../tail.ts';

/** Twice the longest entry, and small enough for the processor's cache: that decides how fast bytes are looked through. */
const pieceBytes = 1 << 17;

const lineFeed = 10;

type Readable = Pick<ReadFile, 'read'>;

/** Whole lines of the bytes `from` (a line's start) to `to`, first to last. Returns where the last one's line feed was, and one. */
export function* piecesForward(file: Readable, from: number, to: number): Generator<Buffer, number> {
  const memory = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(0, to - from)));
  let at = from;
  let behind = from;
  // Inside a line that is too long.
  let skipping = false;
  while (at < to) {
    const bytes = asBuffer(file.read(at, Math.min(pieceBytes, to - at), memory));
    if (bytes.length === 0) return behind;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    const start = skipping && end > 0 ? bytes.indexOf(lineFeed) + 1 : 0;
    skipping = end === 0;
    if (end > 0) behind = at + end;
    at += end === 0 ? bytes.length : end;
    if (start < end) yield bytes.subarray(start, end);
  }
  return behind;
}

/** Whole lines of the bytes `from` (a line's start) to `to`, in pieces from the last to the first; within a piece they stand as in the file. */
export function* piecesBackward(file: Readable, from: number, to: number): Generator<Buffer> {
  const memory = Buffer.allocUnsafeSlow(2 * pieceBytes);
  let end = to;
  // Bytes at the memory's front that end a line which begins further back.
  let carried = 0;
  // Whether what stands last is the end of no whole line: a torn tail, or of a line that is left out.
  let cut = true;
  while (end > from) {
    const start = Math.max(from, end - pieceBytes);
    const length = end - start;
    memory.copyWithin(length, 0, carried);
    const read = file.read(start, length, memory.subarray(0, length));
    if (read.length < length) return;
    if (read.buffer !== memory.buffer || read.byteOffset !== memory.byteOffset) memory.set(read, 0);
    const bytes = memory.subarray(0, length + carried);
    const first = start === from ? 0 : bytes.indexOf(lineFeed) + 1;
    const last = cut ? bytes.lastIndexOf(lineFeed) + 1 : bytes.length;
    end = start;
    carried = first;
    cut = start > from && (first === 0 || first === bytes.length);
    if (cut) carried = 0;
    else if (first < last) yield bytes.subarray(first, last);
  }
}
