/**
 * Which bytes of a file a filter can want, by halving: numbers and times of a log only grow. What comes out is never too
 * narrow for a log that is intact; in one whose times or numbers were changed by hand a search may pass over entries, and
 * verification says that they were changed.
 */
import type { ReadFile } from '../../ports.ts';
import { seqOf } from '../chain.ts';
import { asBuffer } from '../tail.ts';
import type { AuditFilter } from './wanted.ts';

/** Number and time at the beginning of a line. */
export interface LineHead {
  readonly seq: number;
  readonly timestamp: string;
}

type Readable = Pick<ReadFile, 'read'>;

/** A stretch that is not worth halving. */
const smallStretch = 1 << 17;
/** A window this long shows the beginning of a line, wherever it is put. */
const windowBytes = (1 << 16) + 4096;
const headBytes = 80;
const timeOpening = ',"timestamp":"';
const timeLength = 24;

/** Reads `{"seq":N,"timestamp":"…"` at the beginning of a line; undefined when it begins otherwise. */
function headOf(bytes: Buffer, start: number): LineHead | undefined {
  const seq = seqOf(bytes, start, bytes.length);
  if (seq < 0) return undefined;
  const text = bytes.toString('latin1', start, start + headBytes);
  const at = text.indexOf(timeOpening);
  const timestamp = text.slice(at + timeOpening.length, at + timeOpening.length + timeLength);
  return at < 0 || !timestamp.endsWith('Z') ? undefined : { seq, timestamp };
}

/** What the first line of a file begins with. */
export function firstHead(file: Readable): LineHead | undefined {
  return headOf(asBuffer(file.read(0, headBytes)), 0);
}

/** The first byte and the end of what may be wanted; both are the beginnings of lines, or the file's end. */
export function wantedBytes(file: Readable, size: number, filter: AuditFilter): readonly [from: number, to: number] {
  const { from, to, after, before } = filter;
  let [low, high] = [0, size];
  if (from !== undefined || after !== undefined) {
    low = halve(file, low, high, (head) => (from === undefined || head.timestamp >= from) && (after === undefined || head.seq > after))[0];
  }
  if (to !== undefined || before !== undefined) {
    high = halve(file, low, high, (head) => (to !== undefined && head.timestamp > to) || (before !== undefined && head.seq >= before))[1];
  }
  return [low, high];
}

/** Where lines begin to be `reached`: the last place found that is before it, and the first that is behind it. */
function halve(file: Readable, start: number, end: number, reached: (head: LineHead) => boolean): readonly [before: number, behind: number] {
  let [low, high, behind] = [start, end, end];
  while (high - low > smallStretch) {
    const middle = low + Math.floor((high - low) / 2);
    const window = asBuffer(file.read(middle, windowBytes));
    const at = window.indexOf(10) + 1;
    const head = at === 0 ? undefined : headOf(window, at);
    // Not what this program writes: all of it is looked through.
    if (head === undefined) return [low, behind];
    if (reached(head)) [high, behind] = [middle, middle + at];
    else low = middle + at;
  }
  return [low, behind];
}
