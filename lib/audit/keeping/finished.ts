/** What keeping works on: where a log lies, and its finished files, which are all but the newest that holds something. */
import type { Clock, Disk, ReadFile, Timers } from '../../ports.ts';
import { createSha256 } from '../../base/digest.ts';
import { dirname, join } from '../../base/paths.ts';
import { LokiError } from '../../errors.ts';
import type { Recorder } from '../entry.ts';
import type { LogFileName } from '../files.ts';
import { readableFiles, tryLogFile } from '../log-file.ts';

/** A log and the means to look after it. Only one process at a time does: the caller holds the lock for it. */
export interface Kept {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Real directory below which nothing may be a symlink. */
  readonly base: string;
  readonly directory: string;
  readonly tlogDirectory: string;
  readonly blobDirectory: string;
  /** Modes of what is made here. */
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly record: Recorder;
  readonly signal?: AbortSignal;
  /** Told what is being done, and how far it is, in bytes. */
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

/** Something that was left as it is, and why. */
export interface KeepProblem {
  readonly file: string;
  readonly found: string;
}

/** The log's files that hold something, oldest first. A compressed one that cannot be read counts as one that does. */
export function filesWithContent({ disk, directory }: Pick<Kept, 'disk' | 'directory'>): readonly LogFileName[] {
  return readableFiles(disk, directory).filter(({ name, compressed }) => {
    if ((disk.stat(join(directory, name))?.size ?? 0) === 0) return false;
    if (!compressed) return true;
    const file = tryLogFile(disk, directory, name);
    if (file === 'unreadable' || file === undefined) return file !== undefined;
    try {
      return file.stat().size > 0;
    } finally {
      file.close();
    }
  });
}

/** SHA-256 of a file's content; undefined when it is gone. Others have their turn after every piece. */
export async function contentHash({ timers, signal }: Pick<Kept, 'timers' | 'signal'>, file: ReadFile | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const hash = createSha256();
    const { size } = file.stat();
    const memory = Buffer.allocUnsafeSlow(Math.min(pieceBytes, size));
    for (let at = 0; at < size; at += pieceBytes) {
      signal?.throwIfAborted();
      hash.add(file.read(at, Math.min(pieceBytes, size - at), memory));
      await timers.yield();
    }
    return hash.hex();
  } finally {
    file.close();
  }
}

const pieceBytes = 1 << 20;

/**
 * The file has these bytes from now on, durable; `conflict` when it has others. Nobody else makes it while the lock is
 * held, so it is renamed into its place: a crash leaves no second link, which would make it unusable.
 */
export function writeOnce({ disk, base, fileMode, directoryMode }: Kept, path: string, bytes: Uint8Array): void {
  const present = disk.readRecord(base, path, Math.max(bytes.length, 1 << 20));
  if (present !== undefined && Buffer.compare(present, bytes) === 0) return;
  if (present !== undefined) throw new LokiError('conflict', { attempted: `create "${path}"`, found: 'it exists with other content' });
  disk.ensureDirectory(base, dirname(path), directoryMode);
  disk.replace(base, path, bytes, fileMode);
}

/** Whether a log file holds exactly what was sealed: the plain file, the compressed one, or both where both are there. */
export async function holds(kept: Kept, name: string, sha256: string): Promise<boolean> {
  const path = join(kept.directory, name);
  const found = [await contentHash(kept, kept.disk.openRead(path)), await contentHash(kept, kept.disk.openGzip(`${path}.gz`))].filter((hash) => hash !== undefined);
  return found.length > 0 && found.every((hash) => hash === sha256);
}
