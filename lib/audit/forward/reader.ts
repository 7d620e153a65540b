/**
 * Reads the log onwards from a position, whole lines only, whatever became of the files meanwhile: rotated, compressed,
 * pruned, replaced. Memory is bounded by what is asked for, whoever wrote the files.
 */
import type { Disk, ReadFile } from '../../ports.ts';
import { sha256Hex } from '../../base/digest.ts';
import { endOfLastLine } from '../../journal/lines.ts';
import { compareFiles, parseLogFileName, plainName, type LogFileName } from '../files.ts';
import { openLogFile, readableFiles } from '../log-file.ts';
import { seqOf } from '../chain.ts';
import type { Position } from './cursor.ts';

/** One line of the log. */
export interface LogLine {
  /** Without its line feed; empty when the line is longer than anything the log writes. */
  readonly bytes: Buffer;
  /** Its length, also when `bytes` does not hold it. */
  readonly length: number;
  readonly file: string;
  readonly offset: number;
  /** What it begins with; -1 when it begins with none. */
  readonly seq: number;
}

/** Lines that follow a position, and what is odd about how they follow. */
export interface Reading {
  readonly lines: readonly LogLine[];
  /** After each of the lines, in order. */
  readonly positions: readonly Position[];
  /** Entries that are not in the log any more, and were never read here. */
  readonly missing: { readonly first: number; readonly last: number } | undefined;
  /** The log is not the one the position speaks of; it is read from the start of the file named here. */
  readonly replaced: string | undefined;
}

/** Lines are read up to so many, or so many bytes. */
export interface ReadLimits {
  readonly lines: number;
  readonly bytes: number;
}

/** The longest line that is read whole; the log's own are below 64 KiB. */
const longestLine = 1 << 18;
const usualLine = 1 << 16;
const chunkBytes = 1 << 18;

/** Where a receiver begins that was never served: at the start of the newest file, so that what was recorded just before it was configured is not lost. */
export function firstPosition(disk: Disk, directory: string): Position {
  const newest = readableFiles(disk, directory).at(-1);
  return newest === undefined ? { seq: 0, file: null, offset: 0, hash: null } : startOf(disk, directory, newest);
}

/** Behind the newest entry: where nothing of before is asked for. */
export function endPosition(disk: Disk, directory: string): Position {
  for (const name of readableFiles(disk, directory).toReversed()) {
    const file = openLogFile(disk, directory, name.name);
    if (file === undefined) continue;
    try {
      const end = endOfLastLine(file, file.stat().size, chunkBytes);
      if (end <= 0) continue;
      const start = Math.max(0, end - longestLine - 1);
      const bytes = asBuffer(file.read(start, end - start));
      const line = bytes.subarray(bytes.length === 1 ? 0 : bytes.lastIndexOf(lineFeed, bytes.length - 2) + 1, -1);
      return { seq: Math.max(0, seqOf(line, 0, line.length)), file: plainName(name.name), offset: end, hash: sha256Hex(line) };
    } finally {
      file.close();
    }
  }
  return { seq: 0, file: null, offset: 0, hash: null };
}

/** The start of the oldest file: where nothing is known, everything is sent. */
export function oldestPosition(disk: Disk, directory: string): Position {
  const oldest = readableFiles(disk, directory)[0];
  return oldest === undefined ? { seq: 0, file: null, offset: 0, hash: null } : startOf(disk, directory, oldest);
}

function startOf(disk: Disk, directory: string, name: LogFileName): Position {
  return { seq: Math.max(0, (firstSeq(disk, directory, name) ?? 0) - 1), file: plainName(name.name), offset: 0, hash: null };
}

/** The number a file begins with; undefined when it begins with no entry. */
function firstSeq(disk: Disk, directory: string, { name }: LogFileName): number | undefined {
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return undefined;
  try {
    const head = asBuffer(file.read(0, 64));
    const seq = seqOf(head, 0, head.length);
    return seq < 0 ? undefined : seq;
  } finally {
    file.close();
  }
}

/** What follows `from`, as far as it is there. */
export function readOn(disk: Disk, directory: string, from: Position, limits: ReadLimits): Reading {
  // Listed before anything is read: a file that has a newer one beside it gets no more lines.
  const names = readableFiles(disk, directory);
  const found = locate(disk, directory, names, from);
  const lines: LogLine[] = [];
  const positions: Position[] = [];
  let { at } = found;
  let missing: Reading['missing'];
  let left = limits.bytes;
  for (const name of names.slice(found.index)) {
    const start = plainName(name.name) === at.file ? at.offset : 0;
    for (const line of linesFrom(disk, directory, name, start)) {
      const gap = line.seq > at.seq + 1;
      // A gap is told with the lines that follow it, so lines before it are a reading of their own.
      if (gap && lines.length > 0) return { lines, positions, missing, replaced: found.replaced };
      if (gap) missing = { first: at.seq + 1, last: line.seq - 1 };
      at = { seq: line.seq >= 0 ? line.seq : at.seq, file: line.file, offset: line.offset + line.length + 1, hash: line.length === line.bytes.length ? sha256Hex(line.bytes) : null };
      lines.push(line);
      positions.push(at);
      left -= line.bytes.length;
      if (lines.length >= limits.lines || left <= 0) return { lines, positions, missing, replaced: found.replaced };
    }
  }
  return { lines, positions, missing, replaced: found.replaced };
}

interface Located {
  /** In the list of names; as many as there are when nothing follows. */
  readonly index: number;
  readonly at: Position;
  readonly replaced: string | undefined;
}

/** Where to read on: at the position when the log is still what it was, else at the start of the file it names, or of the next one. */
function locate(disk: Disk, directory: string, names: readonly LogFileName[], from: Position): Located {
  if (from.file === null) return { index: 0, at: from, replaced: undefined };
  const named = parseLogFileName(from.file);
  const index = names.findIndex((name) => named !== undefined && compareFiles(name, named) >= 0);
  const name = names[index];
  if (name === undefined) return { index: names.length, at: from, replaced: undefined };
  if (plainName(name.name) === from.file && fits(disk, directory, name, from)) return { index, at: from, replaced: undefined };
  const first = firstSeq(disk, directory, name);
  const seq = first === undefined ? from.seq : Math.min(from.seq, Math.max(0, first - 1));
  // What goes on behind the position, at once or after a gap, is the same log.
  return { index, at: { seq, file: plainName(name.name), offset: 0, hash: null }, replaced: first === undefined || first > from.seq ? undefined : plainName(name.name) };
}

function fits(disk: Disk, directory: string, { name }: LogFileName, { offset, hash }: Position): boolean {
  if (offset === 0) return true;
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return false;
  try {
    return [usualLine, longestLine].some((length) => {
      const start = Math.max(0, offset - length - 1);
      const before = asBuffer(file.read(start, offset - start));
      if (before.length !== offset - start || before[before.length - 1] !== lineFeed) return false;
      const line = before.subarray(before.length === 1 ? 0 : before.lastIndexOf(lineFeed, before.length - 2) + 1, -1);
      return hash === null || sha256Hex(line) === hash;
    });
  } finally {
    file.close();
  }
}

const lineFeed = 10;

/** Whole lines from byte `from` on. */
function* linesFrom(disk: Disk, directory: string, { name }: LogFileName, from: number): Generator<LogLine> {
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return;
  try {
    yield* linesOfFile(file, plainName(name), from);
  } finally {
    file.close();
  }
}

function* linesOfFile(file: ReadFile, name: string, from: number): Generator<LogLine> {
  let offset = from;
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const read = asBuffer(file.read(offset + rest.length, chunkBytes));
    if (read.length === 0) return;
    const bytes = rest.length === 0 ? read : Buffer.concat([rest, read]);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      const line = bytes.subarray(start, end);
      yield { bytes: line, length: line.length, file: name, offset: offset + start, seq: seqOf(bytes, start, end) };
      start = end + 1;
    }
    offset += start;
    rest = bytes.subarray(start);
    if (rest.length <= longestLine) continue;
    const end = endOfLongLine(file, offset + rest.length);
    if (end < 0) return;
    yield { bytes: Buffer.alloc(0), length: end - offset, file: name, offset, seq: -1 };
    offset = end + 1;
    rest = Buffer.alloc(0);
  }
}

/** Where the next line feed stands; -1 when there is none yet. */
function endOfLongLine(file: ReadFile, from: number): number {
  for (let offset = from; ;) {
    const bytes = file.read(offset, chunkBytes);
    if (bytes.length === 0) return -1;
    const found = bytes.indexOf(lineFeed);
    if (found >= 0) return offset + found;
    offset += bytes.length;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
