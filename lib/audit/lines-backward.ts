/**
 * The lines of a file from the end to the beginning, read in pieces of bounded size: whoever looks back wants the newest
 * first. A line that fills a whole piece is none of ours and is left out, so that no file costs more than its size to read.
 */
import type { ReadFile } from '../ports.ts';
import { linesOf } from '../journal/lines.ts';
import { asBuffer } from './tail.ts';

/** Longer than any entry. */
const pieceBytes = 1 << 18;

/** Lines of the first `size` bytes, the last one first, without their line feeds; a tail that has none is left out. */
export function* linesBackward(file: Pick<ReadFile, 'read'>, size: number): Generator<Buffer> {
  const nothing: Buffer = Buffer.alloc(0);
  let end = size;
  // The end of a line that begins further back.
  let carry = nothing;
  // Whether what stands last belongs to no whole line: a torn tail, or the beginning of a line that is left out.
  let cut = true;
  while (end > 0) {
    const start = Math.max(0, end - pieceBytes);
    const bytes = Buffer.concat([asBuffer(file.read(start, end - start)), carry]);
    const first = start === 0 ? 0 : bytes.indexOf(10) + 1;
    end = start;
    if (start > 0 && (first === 0 || first === bytes.length)) {
      carry = nothing;
      cut = true;
      continue;
    }
    const lines = [...linesOf(bytes.subarray(first))].reverse();
    if (cut && bytes.at(-1) !== 10) lines.shift();
    for (const [from, to] of lines) yield bytes.subarray(first + from, first + to);
    carry = bytes.subarray(0, first);
    cut = false;
  }
}
