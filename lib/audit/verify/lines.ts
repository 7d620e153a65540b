/** Single lines of files that were walked, found by their number without reading what lies before. */
import type { Disk, ReadFile, Timers } from '../../ports.ts';
import { Frontier } from '../../base/merkle/frontier.ts';
import { hashBytes } from '../../base/merkle/hash.ts';
import { createLeafHasher } from '../../base/merkle/hasher.ts';
import { linesOf, pieces } from '../../journal/lines.ts';
import { seqOf } from '../chain.ts';
import { openLogFile } from '../log-file.ts';
import { asBuffer } from '../tail.ts';
import type { FileSummary } from './walk.ts';

/** Longer than two entries. */
const windowBytes = 1 << 18;

/** A line as it stands, without its line feed. */
export interface FoundLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly seq: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Where lines are looked for: files in which nothing was wrong. */
export interface LinePlace {
  readonly disk: Disk;
  readonly directory: string;
  readonly files: readonly FileSummary[];
}

/** The line of an entry; undefined when no file holds it, or it cannot be read any more. */
export function lineAt({ disk, directory, files }: LinePlace, seq: number): FoundLine | undefined {
  const summary = files.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
  const file = summary === undefined ? undefined : openLogFile(disk, directory, summary.name);
  if (summary === undefined || file === undefined) return undefined;
  try {
    const [from, to] = narrow(file, summary.size, seq);
    const bytes = asBuffer(file.read(from, Math.min(summary.size, to + windowBytes) - from));
    for (const [start, end] of linesOf(bytes)) {
      if (seqOf(bytes, start, end) === seq) return { file: summary.name, line: seq - summary.firstSeq + 1, seq, offset: from + start, bytes: Buffer.from(bytes.subarray(start, end)) };
    }
    return undefined;
  } finally {
    file.close();
  }
}

/** Halves the file until the line must begin within a window's length; the answer begins at a line. */
function narrow(file: ReadFile, size: number, seq: number): readonly [from: number, to: number] {
  let [from, to] = [0, size];
  while (to - from > windowBytes) {
    const middle = Math.floor((from + to) / 2);
    const bytes = asBuffer(file.read(middle, windowBytes));
    const start = bytes.indexOf(10) + 1;
    const here = start === 0 ? -1 : seqOf(bytes, start, bytes.length);
    if (here < 0) return [from, to];
    if (here <= seq) from = middle + start;
    else to = middle;
  }
  return [from, to];
}

/** Lines of the entries `from` to `to`, with their places; lets others have a turn now and then. */
export async function* linesFrom({ disk, directory, files }: LinePlace, from: number, to: number, timers: Timers): AsyncGenerator<Omit<FoundLine, 'bytes'> & { readonly memory: Buffer; readonly start: number; readonly end: number }> {
  for (const { name, firstSeq, lastSeq, size } of files) {
    if (lastSeq < from || firstSeq > to) continue;
    const file = openLogFile(disk, directory, name);
    if (file === undefined) return;
    try {
      let seq = Math.max(firstSeq, from);
      const first = seq === firstSeq ? 0 : lineAt({ disk, directory, files }, seq)?.offset ?? size;
      for (const piece of pieces(file, first, size)) {
        await timers.yield();
        const memory = asBuffer(piece.bytes);
        for (const [start, end] of linesOf(memory)) {
          if (seq > to) return;
          yield { file: name, line: seq - firstSeq + 1, seq, offset: piece.offset + start, memory, start, end };
          seq += 1;
        }
      }
    } finally {
      file.close();
    }
  }
}

/**
 * The root over the first `size` lines, hashed anew. Of entries before the first line that is there, `leafBefore` gives the
 * leaf hashes. Undefined when lines are missing.
 */
export async function rootOfLines(place: LinePlace, size: number, firstSeq: number, leafBefore: (index: number) => Uint8Array, timers: Timers): Promise<Uint8Array | undefined> {
  const frontier = new Frontier();
  const hasher = createLeafHasher();
  const leaf = Buffer.alloc(hashBytes);
  const nothing = (): void => undefined;
  for (let index = 0; index < firstSeq - 1; index += 1) frontier.append(Buffer.from(leafBefore(index)), 0, nothing);
  for await (const { memory, start, end } of linesFrom(place, firstSeq, size, timers)) {
    hasher.hash(leaf, 0, memory, start, end);
    frontier.append(leaf, 0, nothing);
  }
  return frontier.size === size ? frontier.root() : undefined;
}
