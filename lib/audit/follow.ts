/**
 * Follows the log as it is written: each look gives the whole lines that were added since, and reads no more than those. It
 * holds the file it is in open, so that a file that is compressed or removed is read to its end; it goes on to the next file
 * once that holds something, because only then the one before is finished. A file that was cut or replaced is looked through
 * for the line that was given last: what follows it is new, and without it everything is.
 */
import type { Disk, FileStat, ReadFile } from '../ports.ts';
import { join } from '../base/paths.ts';
import { endOfLastLine, linesOf } from '../journal/lines.ts';
import { seqOf } from './chain.ts';
import { compareFiles, parseLogFileName, type LogFileName } from './files.ts';
import { readableFiles } from './log-file.ts';
import { openEither } from './query.ts';
import { piecesForward } from './query/pieces.ts';
import { asBuffer, tailWindow } from './tail.ts';

/** A place between two lines. */
interface Place {
  readonly name: LogFileName;
  readonly file: ReadFile;
  offset: number;
  /** The line before the place, with its line feed; empty at a file's beginning. */
  last: Buffer;
  /** The file's size and date when it was last looked at. */
  seen: string;
}

export interface Follower {
  /** Number of the entry that the log ended with when following began; 0 when it was empty. */
  readonly startSeq: number;
  /** The lines that were written since the last look, without their line feeds. One is good until the next one is asked for. */
  look(): Generator<Buffer>;
  close(): void;
}

const lineFeed = 10;

/** Begins at the end of the log as it is now. The folder need not exist yet: then everything in it will be new. */
export function followLog(disk: Disk, directory: string): Follower {
  let place = endOfLog(disk, directory);
  const startSeq = place === undefined ? 0 : Math.max(0, seqOf(place.last, 0, place.last.length));

  function move(name: LogFileName): boolean {
    const file = openEither(disk, directory, plainName(name));
    if (file === undefined) return false;
    place?.file.close();
    place = { name, file, offset: 0, last: Buffer.alloc(0), seen: '' };
    return true;
  }

  function* look(): Generator<Buffer> {
    // Listed before the current file is read: what the files in the list made final has been written by then.
    const current = place?.name;
    const newer = readableFiles(disk, directory).filter((name) => current === undefined || compareFiles(name, current) > 0);
    const begun = newer.filter(({ name, compressed }) => compressed || (disk.stat(join(directory, name))?.size ?? 0) > 0);
    if (place !== undefined) {
      const now = disk.stat(join(directory, plainName(place.name)));
      const held = place.file.stat();
      const isOther = now !== undefined && !place.name.compressed && (now.inode !== held.inode || now.device !== held.device);
      // To the end of what is held, then what stands there now.
      yield* read(place);
      if (isOther) {
        const { name, last } = place;
        if (move(name)) {
          goBehind(place, last);
          yield* read(place);
        }
      }
    }
    for (const name of begun) if (move(name)) yield* read(place);
  }

  return { startSeq, look, close: () => place?.file.close() };
}

function plainName({ name, compressed }: LogFileName): string {
  return compressed ? name.slice(0, -'.gz'.length) : name;
}

function stateOf({ size, modifiedMs }: FileStat): string {
  return `${size} ${modifiedMs}`;
}

function endOfLog(disk: Disk, directory: string): Place | undefined {
  for (const listed of readableFiles(disk, directory).toReversed()) {
    const file = openEither(disk, directory, listed.name);
    if (file === undefined) continue;
    const stat = file.stat();
    const { size } = stat;
    const offset = endOfLastLine(file, size, tailWindow);
    if (offset <= 0) {
      file.close();
      continue;
    }
    const bytes = asBuffer(file.read(Math.max(0, offset - tailWindow), Math.min(offset, tailWindow)));
    const start = bytes.length < 2 ? 0 : bytes.lastIndexOf(lineFeed, bytes.length - 2) + 1;
    return { name: parseLogFileName(plainName(listed)) ?? listed, file, offset, last: Buffer.from(bytes.subarray(start)), seen: stateOf(stat) };
  }
  return undefined;
}

function* read(place: Place | undefined): Generator<Buffer> {
  if (place === undefined) return;
  const stat = place.file.stat();
  if (stateOf(stat) === place.seen) return;
  place.seen = stateOf(stat);
  const { size } = stat;
  const before = place.offset - place.last.length;
  const isSame = size >= place.offset && asBuffer(place.file.read(before, place.last.length)).equals(place.last);
  if (!isSame) goBehind(place, place.last);
  const reading = piecesForward(place.file, place.offset, size);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) {
      place.offset = value;
      return;
    }
    const start = value.length < 2 ? 0 : value.lastIndexOf(lineFeed, value.length - 2) + 1;
    place.last = Buffer.from(value.subarray(start));
    for (const [from, to] of linesOf(value)) yield value.subarray(from, to);
  }
}

/** What is looked through at a time for a line. */
const windowBytes = 1 << 18;

/** Puts the place behind a line, wherever that stands now; at the beginning when it is not there. */
function goBehind(place: Place, last: Buffer): void {
  [place.offset, place.last, place.seen] = [0, Buffer.alloc(0), ''];
  if (last.length === 0) return;
  const { size } = place.file.stat();
  for (let at = 0; at < size; at += windowBytes) {
    const found = asBuffer(place.file.read(at, windowBytes + last.length)).indexOf(last);
    if (found < 0) continue;
    [place.offset, place.last] = [at + found + last.length, last];
    return;
  }
}
