/**
 * The folder of a destination: what waits on disk, known by name and size, within a bound of bytes and of files. Holds no order and decides nothing about
 * sending. A disk that does not take what it is given is left alone for a moment, and said.
 */
import { join } from '../../base/paths.ts';
import { quietly } from '../../base/quietly.ts';
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import { messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import type { Signal } from '../batch.ts';
import { bodyInFile } from './body.ts';
import type { SpoolPlace } from './options.ts';
import { readSpoolName } from './spool-name.ts';
import type { Tried } from './stand.ts';

export const mostFiles = 20_000;
/** A larger one is none of ours: the largest item there may be, in letters of three bytes, is smaller. */
export const largestFile: number = 16 * 1024 * 1024;
/** So long a disk that failed is left alone. */
const restMs = 5000;

export interface Spool {
  readonly bytes: number;
  readonly files: number;
  readonly trouble: Tried | null;
  /** The disk failed a moment ago, and is not asked now. */
  readonly isResting: boolean;
  /** What is there, the oldest first; undefined when that cannot be told. From then on this is what counts. */
  look(): readonly SpoolFile[] | undefined;
  has(name: string): boolean;
  /** Whether a file of so many bytes may be added; with 0, whether all is within the bound. */
  hasRoom(bytes: number): boolean;
  /** Whether it could ever be. */
  mayHold(bytes: number): boolean;
  /** False when the disk does not take it. */
  write(name: string, body: string): boolean;
  /** Takes over a file from another folder. False when the disk does not take it. */
  take(folder: string, file: SpoolFile): boolean;
  /** Undefined when it is gone, cannot be read, or is no message of the signal. */
  read(name: string, signal: Signal): string | undefined;
  /** It is not counted any more, whether or not the disk lets it go. */
  remove(name: string): void;
}

export function createSpool({ files, base, folder, maxBytes, maxFiles = mostFiles }: SpoolPlace, clock: Clock): Spool {
  const sizes = new Map<string, number>();
  let bytes = 0;
  let trouble: Tried | null = null;
  let restUntil = -Infinity;
  const count = (name: string, size: number): void => {
    forget(name);
    sizes.set(name, size);
    bytes += size;
  };
  const forget = (name: string): void => {
    bytes -= sizes.get(name) ?? 0;
    sizes.delete(name);
  };
  /** Undefined when it failed, or failed a moment ago. */
  const tryDisk = <T>(what: string, act: () => T): T | undefined => {
    if (clock.monotonic() < restUntil) return undefined;
    try {
      const result = act();
      trouble = null;
      return result;
    } catch (error) {
      restUntil = clock.monotonic() + restMs;
      trouble = { at: clock.now(), words: `cannot ${what} the spool: ${systemCode(error) ?? messageOf(error)}` };
      return undefined;
    }
  };
  const listed = (): readonly SpoolFile[] => files.list(folder).filter(({ name }) => readSpoolName(name) !== undefined);
  const copy = (path: string, name: string): boolean => {
    const text = files.read(path, largestFile);
    if (text === undefined) return false;
    files.write(base, join(folder, name), text);
    return true;
  };
  return {
    get bytes() { return bytes; },
    get files() { return sizes.size; },
    get trouble() { return trouble; },
    get isResting() { return clock.monotonic() < restUntil; },
    look() {
      const found = tryDisk('read', listed);
      if (found === undefined) return undefined;
      sizes.clear();
      bytes = 0;
      for (const { name, size } of found) count(name, size);
      return found;
    },
    has: (name) => sizes.has(name),
    hasRoom: (more) => bytes + more <= maxBytes && sizes.size + Math.sign(more) <= maxFiles,
    mayHold: (size) => size <= maxBytes && maxFiles > 0,
    write(name, body) {
      const written = tryDisk('write to', () => {
        files.write(base, join(folder, name), `${body}\n`);
        return true;
      }) ?? false;
      if (written) count(name, Buffer.byteLength(body) + 1);
      return written;
    },
    take(from, { name, size }) {
      const path = join(from, name);
      // Where the file system has no links, a copy. What is damaged is found out when its turn comes.
      const taken = tryDisk('add to', () => linked(() => files.link(base, path, join(folder, name))) || copy(path, name)) ?? false;
      if (taken) count(name, size);
      return taken;
    },
    read(name, signal) {
      const text = quietly(() => files.read(join(folder, name), largestFile));
      return text === undefined ? undefined : bodyInFile(signal, text);
    },
    remove(name) {
      forget(name);
      try {
        files.remove(join(folder, name));
      } catch (error) {
        trouble = { at: clock.now(), words: `cannot remove from the spool: ${systemCode(error) ?? messageOf(error)}` };
      }
    },
  };
}

/** File systems without links say so in several ways. */
function linked(link: () => boolean): boolean {
  try {
    return link();
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'].includes(code)) return false;
    throw error;
  }
}
