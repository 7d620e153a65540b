/**
 * Finds entries of the log of record, without an index: whole files are passed over by their day and their seal, stretches of
 * a file by number and time, lines by a look for the bytes that a match must contain, and only what is left is parsed. A
 * line that is no entry is passed over: finding damage is verification's task, and a search must still answer.
 */
import { LokiError } from '../errors.ts';
import type { Disk, ReadFile } from '../ports.ts';
import { dirname, join } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import type { BlobReader } from './blob.ts';
import type { LogFileName } from './files.ts';
import { openLogFile, readableFiles } from './log-file.ts';
import { firstHead, wantedBytes } from './query/bounds.ts';
import { isEntry, matches, matchesHead, parseEntry } from './query/filter.ts';
import type { AuditFilter, LoggedEntry } from './query/wanted.ts';
import { createFinder, needlesOf, type ProtectedNeedles } from './query/needles.ts';
import { piecesBackward, piecesForward } from './query/pieces.ts';
import { sealAllows } from './query/seal-hint.ts';

export { matches } from './query/filter.ts';
export type { AuditFilter, LoggedEntry } from './query/wanted.ts';

/** What reads protected entries (lib/audit/protection/opener.ts). */
export interface LineOpener extends ProtectedNeedles {
  open(entry: JsonObject): JsonObject;
  /** Whether an entry, as it stands on disk, concerns a subject. */
  concerns(raw: JsonObject, subject: string): boolean;
}

/** How a log is read. */
export interface QueryOptions {
  /** `newest` first unless told. */
  readonly order?: 'newest' | 'oldest';
  /** Opens what is protected, as far as its keys are at hand. Filters are applied to what comes out. */
  readonly opener?: LineOpener;
  /** Reads details that lie beside the log, for each entry that has some; entries are found, and handed over, with them. */
  readonly blobs?: BlobReader;
  /** Hears of a file that cannot be read, such as a damaged compressed one; the search goes on without it unless this throws. */
  readonly onUnreadable?: (file: string, error: LokiError) => void;
}

/** A matching entry, opened where asked, and its line as it stands in the log, which is good until the next one is asked for. */
export interface Hit {
  readonly entry: LoggedEntry;
  readonly line: Buffer;
  /** Whether the entry says more than its line. */
  readonly isOpened: boolean;
}

/** Matching entries of the log in `directory`, the newest first unless told. */
export function* queryLog(disk: Disk, directory: string, filter: AuditFilter, options: QueryOptions = {}): Generator<LoggedEntry> {
  for (const hit of searchHits(disk, directory, filter, options)) if (hit !== undefined) yield hit.entry;
}

/** As `queryLog`, with an undefined now and then: a rare match may lie behind a million lines, and others want their turn. */
export function* searchLog(disk: Disk, directory: string, filter: AuditFilter, options: QueryOptions = {}): Generator<LoggedEntry | undefined> {
  for (const hit of searchHits(disk, directory, filter, options)) yield hit?.entry;
}

/** So many pieces of a file are looked at before others may have a turn: a few milliseconds' work. */
const piecesATurn = 8;

/** As `searchLog`, with the lines. */
export function* searchHits(disk: Disk, directory: string, filter: AuditFilter, options: QueryOptions = {}): Generator<Hit | undefined> {
  const { order = 'newest', opener, blobs } = options;
  const find = createFinder(needlesOf(filter, opener, blobs !== undefined));
  let looked = 0;
  for (const bytes of wantedPieces(disk, directory, filter, order, options.onUnreadable)) {
    looked += 1;
    if (looked % piecesATurn === 0) yield undefined;
    const ranges = find(bytes);
    for (const [start, end] of order === 'newest' ? ranges.toReversed() : ranges) {
      const line = bytes.subarray(start, end);
      const hit = hitIn(line, filter, opener, blobs);
      if (hit !== undefined) yield hit;
    }
  }
}

function hitIn(line: Buffer, filter: AuditFilter, opener: LineOpener | undefined, blobs: BlobReader | undefined): Hit | undefined {
  const written = parseEntry(line);
  if (written === undefined) return undefined;
  // What stands in clear is looked at first: reading a blob costs more than all else.
  const raw: JsonObject = blobs !== undefined && matchesHead(written, filter) ? blobs.withBlob(written) : written;
  const entry: JsonObject = opener === undefined ? raw : opener.open(raw);
  if (!isEntry(entry)) return undefined;
  const concerns = opener === undefined ? undefined : (subject: string) => opener.concerns(raw, subject);
  return matches(entry, filter, concerns) ? { entry, line, isOpened: entry !== written } : undefined;
}

/** The pieces of all files that may hold something wanted, in order. A piece is good until the next one is asked for. */
export function* wantedPieces(disk: Disk, directory: string, filter: AuditFilter, order: 'newest' | 'oldest', onUnreadable: QueryOptions['onUnreadable']): Generator<Buffer> {
  const files = readableFiles(disk, directory);
  const seals = join(dirname(directory), 'tlog', 'seals');
  for (const name of order === 'newest' ? files.toReversed() : files) {
    if (!mayHold(name, filter)) continue;
    if (!isUnbounded(filter) && !sealAllows(disk, seals, name.name, name.compressed ? undefined : disk.stat(join(directory, name.name))?.size, filter)) continue;
    try {
      if (yield* piecesOf(disk, directory, name.name, filter, order)) return;
    } catch (error) {
      if (!(error instanceof LokiError) || error.code !== 'io.failed') throw error;
      onUnreadable?.(name.name, error);
    }
  }
}

/** The pieces of one file; whether it was the last one that can hold something wanted. */
function* piecesOf(disk: Disk, directory: string, name: string, filter: AuditFilter, order: 'newest' | 'oldest'): Generator<Buffer, boolean> {
  const file = openEither(disk, directory, name);
  if (file === undefined) return false;
  try {
    const { before, after } = filter;
    const first = before === undefined && after === undefined ? undefined : firstHead(file)?.seq;
    if (first !== undefined && before !== undefined && first >= before) return order === 'oldest';
    const [from, to] = wantedBytes(file, file.stat().size, filter);
    yield* order === 'newest' ? piecesBackward(file, from, to) : piecesForward(file, from, to);
    // Everything further back has smaller numbers.
    return order === 'newest' && first !== undefined && after !== undefined && first <= after;
  } finally {
    file.close();
  }
}

/** Opens a file that may be compressed between being listed and being opened. */
export function openEither(disk: Disk, directory: string, name: string): ReadFile | undefined {
  return openLogFile(disk, directory, name) ?? (name.endsWith('.gz') ? undefined : openLogFile(disk, directory, `${name}.gz`));
}

function mayHold(name: LogFileName, filter: AuditFilter): boolean {
  return (filter.from === undefined || name.day >= filter.from.slice(0, 10)) && (filter.to === undefined || name.day <= filter.to.slice(0, 10));
}

/** Whether a seal can say nothing against a file. */
function isUnbounded({ from, to, event, level, actor, before, after }: AuditFilter): boolean {
  return [from, to, event, level, actor, before, after].every((member) => member === undefined);
}
