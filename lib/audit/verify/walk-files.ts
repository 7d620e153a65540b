/** Walks a chain's files in their order: those that an earlier verification or another thread has read are taken as read. */
import type { Disk, FileStat, ReadFile, Timers } from '../../ports.ts';
import { systemCode, unreadBecause } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { pieces } from '../../journal/lines.ts';
import { openLogFile } from '../log-file.ts';
import { roomForLine } from '../run.ts';
import { asBuffer } from '../tail.ts';
import type { Acceptance } from './accepted.ts';
import { ChainWalk, type FileSummary } from './walk.ts';

/** A chain's files, oldest first, below one directory. */
export interface ChainSource {
  /** `record`, or `agent:<project id>`, or the path that was asked for. */
  readonly chain: string;
  readonly directory: string;
  readonly names: readonly string[];
  /** The names as they are now: they change while files are put aside, compressed and pruned. */
  readonly list?: () => readonly string[];
}

/**
 * Reads files on other threads, from the last one on, while the caller reads them from the first one on. `share` answers with
 * what is asked before each: undefined when no thread has begun with the file, and none will then; else what was found in it,
 * undefined for one that has to be looked at again: something in it does not follow.
 */
export interface FilePool {
  share(directory: string, files: readonly { readonly name: string; readonly size: number }[], how: { readonly signal?: AbortSignal; onBytes(bytes: number): void }): (name: string) => Promise<FileSummary | undefined> | undefined;
}

export interface WalkOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly signal?: AbortSignal;
  /** Called about every megabyte. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
  /** Files are walked one after the other without it. */
  readonly pool?: FilePool;
  /** Asked of entries that are missing between two files. */
  readonly accepts?: Acceptance;
  /** What an earlier verification found in a file that has not changed since. */
  readonly known?: (name: string, stat: FileStat) => FileSummary | undefined;
}

/** A file as it was when the walk began; what is appended meanwhile is not looked at. */
export interface SeenFile {
  readonly name: string;
  readonly stat: FileStat;
  /** What was found in it; undefined when something in it does not fit. */
  readonly summary: FileSummary | undefined;
}

export interface Walked {
  readonly walk: ChainWalk;
  readonly files: readonly SeenFile[];
  readonly bytes: number;
  /** Entries of files that were taken as read. */
  readonly known: number;
  /** Whether a file went away on the way. */
  readonly vanished: boolean;
}

/** Others have their turn after so many bytes. */
const turnBytes = 1 << 20;

/** Walks along all of a chain. Lets other work go on between pieces. */
export async function walkFiles({ directory, names }: ChainSource, options: WalkOptions): Promise<Walked> {
  const walk = new ChainWalk(options.accepts);
  const sized = statsOf(directory, names, options.disk).map((file) => ({ ...file, known: options.known?.(file.name, file.stat) }));
  const progress = createTally(sized.filter(({ known }) => known === undefined).reduce((sum, { stat }) => sum + stat.size, 0), options.onProgress);
  const unread = sized.filter(({ known }) => known === undefined).map(({ name, stat }) => ({ name, size: stat.size }));
  const elsewhere = options.pool?.share(directory, unread, { ...(options.signal === undefined ? {} : { signal: options.signal }), onBytes: progress.add });
  const files: SeenFile[] = [];
  const sum = { bytes: 0, known: 0, vanished: false };
  for (const { name, stat, known } of sized) {
    const summary = known ?? await elsewhere?.(name);
    options.signal?.throwIfAborted();
    if (summary !== undefined && walk.skip(summary)) {
      files.push({ name, stat, summary });
      if (known === undefined) sum.bytes += summary.size;
      else sum.known += known.entries;
      continue;
    }
    const found = await walkOne(walk, { directory, name, stat }, options, progress.add);
    if (found === 'gone') { sum.vanished = true; continue; }
    files.push({ name, stat, summary: found.summary });
    sum.bytes += found.bytes;
  }
  return { walk, files, ...sum };
}

function createTally(total: number, onProgress: WalkOptions['onProgress']): { add(bytes: number): void } {
  let done = 0;
  return { add(bytes) { done += bytes; onProgress?.(Math.min(done, total), total); } };
}

/**
 * All sizes are taken first, so that a log being written is seen as it was at one moment. The files are opened one at a
 * time: a log of several years has more of them than a process may have open.
 */
function statsOf(directory: string, names: readonly string[], disk: Disk): readonly { readonly name: string; readonly stat: FileStat }[] {
  return names.flatMap((name) => {
    const stat = disk.stat(join(directory, name));
    return stat === undefined ? [] : [{ name, stat }];
  });
}

interface Place {
  readonly directory: string;
  readonly name: string;
  readonly stat: FileStat;
}

/** Walks one file, and tells what is wrong with it when it cannot be read. */
async function walkOne(walk: ChainWalk, { directory, name, stat }: Place, options: WalkOptions, onBytes: (bytes: number) => void): Promise<{ readonly summary: FileSummary | undefined; readonly bytes: number } | 'gone'> {
  let file: ReadFile | undefined;
  try {
    file = openLogFile(options.disk, directory, name);
    if (file === undefined) return 'gone';
    const isPlain = !name.endsWith('.gz');
    const content = file.stat().size;
    const size = isPlain ? Math.min(stat.size, content) : content;
    walk.beginFile(name);
    const perByte = content === 0 ? 0 : stat.size / Math.max(stat.size, content);
    await walkLines(walk, file, size, options, (bytes) => onBytes(bytes * (isPlain ? 1 : perByte)));
    return { summary: walk.endFile(size), bytes: size };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    const refused = systemCodeOf(error);
    walk.lose(name, refused === undefined ? 'damaged file' : 'unreadable file', unreadBecause(error));
    return { summary: undefined, bytes: 0 };
  } finally {
    file?.close();
  }
}

/** The system's own error code (EACCES, EIO …) behind an error; undefined when it was not the system that refused. */
function systemCodeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = systemCode(at);
    if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) return code;
  }
  return undefined;
}

/** Walks along the first `size` bytes of a file. */
export async function walkLines(walk: ChainWalk, file: ReadFile, size: number, { signal, timers }: Pick<WalkOptions, 'signal' | 'timers'>, onBytes: (bytes: number) => void): Promise<void> {
  let [told, nextTurn] = [0, 0];
  for (const piece of pieces(file, 0, size, roomForLine)) {
    signal?.throwIfAborted();
    const end = piece.offset + piece.bytes.length;
    if (piece.complete) walk.piece(piece.bytes, piece.offset);
    else if (end < size && end < file.stat().size) walk.endless(piece.offset, piece.bytes.length);
    else await tornOrLive(walk, file, piece.offset, piece.bytes.length, timers);
    if (end < nextTurn && end < size) continue;
    nextTurn = end + turnBytes;
    onBytes(end - told);
    told = end;
    await timers.yield();
  }
}

/** A tail without a line feed may be a batch that is being written this moment: look again a little later. */
async function tornOrLive(walk: ChainWalk, file: ReadFile, offset: number, length: number, timers: Timers): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await timers.sleep(25);
    const bytes = asBuffer(file.read(offset, 1 << 17));
    if (bytes.length === 0) return;
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) return walk.lines(bytes.subarray(0, end), offset);
  }
  walk.torn(offset, length);
}
