/**
 * Where a chain file stands, found by reading its end only. The last lines are checked against each other, because a power
 * cut may leave a tail whose lines end well and whose middle never reached the disk.
 */
import type { Disk, ReadFile } from '../ports.ts';
import { endOfLastLine, linesOf, type Readable } from '../journal/lines.ts';
import { claimedHash, createLineHasher, seqOf, type ChainTail } from './chain.ts';
import { openLogFile } from './log-file.ts';

/** How far back the end of a file is checked. No batch is longer, so nothing before it can be half-written. */
export const tailWindow: number = 256 * 1024;

/**
 * The end of a file as found: good, damaged by a power cut (zeros where text should be), or damaged otherwise; then with
 * the last entry's state, if there is one. `chained`: whether the file's entries carry hashes.
 */
export type FoundTail =
  | { readonly kind: 'empty' }
  | { readonly kind: 'good'; readonly tail: ChainTail; readonly chained: boolean }
  | { readonly kind: 'zeros'; readonly offset: number }
  | { readonly kind: 'damaged'; readonly offset: number; readonly tail: ChainTail | undefined };

/** Reads the last lines of the first `size` bytes. `known` is the state at byte `from`, when that is known. */
export function findTail(file: Readable, size: number, from: number, known: ChainTail | undefined): FoundTail {
  if (size === 0) return { kind: 'empty' };
  const start = Math.max(from, size - tailWindow);
  const bytes = asBuffer(file.read(start, size - start));
  // In the middle of a file the window most likely begins inside a line, which is then left out.
  const lines = [...linesOf(bytes)].slice(start > from ? 1 : 0);
  const place: Window = { bytes, start, lines };
  const last = lines.at(-1);
  if (last === undefined) return { kind: 'damaged', offset: start, tail: lastTail(bytes) };
  // The rule is that entries are chained. A file without hashes says so in its first line, which is read only for that.
  const before = claimedHash(bytes, last[0], last[1]) === undefined ? hashBeforeUnchained(file, size) : undefined;
  return before === undefined ? chainedTail(place, start === from ? known : undefined) : unchainedTail(place, before);
}

/** Where the chain stands at the end of a file that is only read; undefined when it holds no entry. */
function tailOf(file: ReadFile): ChainTail | undefined {
  const size = endOfLastLine(file, file.stat().size, tailWindow);
  const found = size > 0 ? findTail(file, size, 0, undefined) : undefined;
  return found?.kind === 'good' || found?.kind === 'damaged' ? found.tail : undefined;
}

/** Where the chain stands at the end of a file named; undefined when the file is gone or holds no entry. Throws as `openLogFile` does. */
export function tailIn(disk: Disk, directory: string, name: string): ChainTail | undefined {
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return undefined;
  try {
    return tailOf(file);
  } finally {
    file.close();
  }
}

/** What is looked at: bytes from `start` of the file, and where in them the lines are. */
interface Window {
  readonly bytes: Buffer;
  readonly start: number;
  readonly lines: readonly (readonly [start: number, end: number])[];
}

function chainedTail({ bytes, start, lines }: Window, known: ChainTail | undefined): FoundTail {
  const hasher = createLineHasher();
  const whole = !bytes.includes(0);
  let previous = known?.hash;
  let last: readonly [number, number] = [0, 0];
  for (const line of lines) {
    const [lineStart, lineEnd] = line;
    const claimed = sealOf(bytes, lineStart, lineEnd, whole);
    const wrong = claimed === undefined || (previous !== undefined && hasher.hash(previous, bytes, lineStart, lineEnd) !== claimed);
    if (wrong && bytes.indexOf(0, lineStart) >= 0) return { kind: 'zeros', offset: start + lineStart };
    if (wrong) return { kind: 'damaged', offset: start + lineStart, tail: lastTail(bytes) };
    previous = claimed;
    last = line;
  }
  return { kind: 'good', tail: readTail(bytes, last[0], last[1]), chained: true };
}

/** Without hashes a tail is good when its lines are entries whose numbers follow each other. `before`: the last hash of the chain before them. */
function unchainedTail({ bytes, start, lines }: Window, before: string): FoundTail {
  let tail: ChainTail | undefined;
  for (const [lineStart, lineEnd] of lines) {
    const seq = bytes.subarray(lineStart, lineEnd).includes(0) || bytes[lineEnd - 1] !== closingBrace ? -1 : seqOf(bytes, lineStart, lineEnd);
    const wrong = seq < 0 || (tail !== undefined && seq !== tail.seq + 1);
    if (wrong && bytes.indexOf(0, lineStart) >= 0) return { kind: 'zeros', offset: start + lineStart };
    if (wrong) return { kind: 'damaged', offset: start + lineStart, tail };
    tail = { ...readTail(bytes, lineStart, lineEnd), hash: before };
  }
  return tail === undefined ? { kind: 'damaged', offset: start, tail } : { kind: 'good', tail, chained: false };
}

const closingBrace = 0x7d;
/** An opening names files of another format that were found; it is an entry, and no longer than one. */
const longestOpening = 65_536;

/**
 * For a file whose first line says that its entries carry no hashes: the last hash of the chain before it, which every such
 * file's opening hands on. Undefined for any other file.
 */
export function hashBeforeUnchained(file: Readable, size: number): string | undefined {
  const bytes = asBuffer(file.read(0, Math.min(size, longestOpening)));
  const end = bytes.indexOf(10);
  if (end <= 0 || claimedHash(bytes, 0, end) !== undefined || seqOf(bytes, 0, end) < 0) return undefined;
  const line = bytes.toString('utf8', 0, end);
  if (!line.includes('"event":"audit.open"') || !line.includes('"integrity":"off"')) return undefined;
  return /"previous_hash":"([0-9a-f]{64})"/.exec(line)?.[1];
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The hash of a line that can be an entry: it begins with its number and has no NUL, which JSON never holds. The first line
 * that is looked at has nothing to be checked against, and zeros may stand before or within a seal that is whole. `whole`
 * says that there is no NUL in all of the bytes.
 */
function sealOf(bytes: Buffer, start: number, end: number, whole: boolean): string | undefined {
  const isEntry = seqOf(bytes, start, end) >= 0 && (whole || !bytes.subarray(start, end).includes(0));
  return isEntry ? claimedHash(bytes, start, end) : undefined;
}

function lastTail(bytes: Buffer): ChainTail | undefined {
  let found: ChainTail | undefined;
  for (const [start, end] of linesOf(bytes)) if (sealOf(bytes, start, end, false) !== undefined) found = readTail(bytes, start, end);
  return found;
}

/** Sequence number, hash and time of a sealed line; what cannot be read counts as the beginning of a chain. */
function readTail(bytes: Buffer, start: number, end: number): ChainTail {
  const text = bytes.subarray(start, end).toString('utf8');
  const time = Date.parse(/"timestamp":"([^"]{20,30})"/.exec(text.slice(0, 200))?.[1] ?? '');
  return { seq: Math.max(0, seqOf(bytes, start, end)), hash: claimedHash(bytes, start, end) ?? '0'.repeat(64), time: Number.isNaN(time) ? 0 : time };
}
