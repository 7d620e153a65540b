/** A small secret file that is made when it is first asked for, and stays. Two processes that make it at once end up with the same one. */
import { LokiError } from '../errors.ts';
import type { Disk } from '../ports.ts';
import { dirname } from './paths.ts';

export interface SecretPlace {
  /** The real directory above it that the caller owns. */
  readonly base: string;
  readonly path: string;
}

/** What the file holds, made by `make` where there is none. Readable by its owner alone. */
export function madeOnce(disk: Disk, { base, path }: SecretPlace, make: () => Uint8Array): Uint8Array {
  const read = (): Uint8Array | undefined => disk.readRecord(base, path, 4096);
  const known = read();
  if (known !== undefined) return known;
  disk.ensureDirectory(base, dirname(path), 0o700);
  try {
    disk.create(base, path, make(), 0o600);
  } catch (error) {
    // Another process may have made it first; what counts is what stands there now.
    if (!(error instanceof LokiError) || error.code !== 'conflict') throw error;
  }
  const made = read();
  if (made === undefined) throw new LokiError('io.failed', { attempted: `make ${path}`, found: 'the file is not there after writing it' });
  return made;
}
