/**
 * Losses that a process could not record before it ended (its log's lock was held too long, the disk failed): the details of
 * the `audit.gap` it would have written, in a small file of its own, until the next writer tells them. Best effort: what
 * kept the log from being written may keep this from being written too.
 */
import type { Disk } from '../ports.ts';
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';

export interface UnheardLosses {
  /** Writes them down. Never throws. */
  leave(gap: JsonObject): void;
  /** What others have left, for a batch that is about to be written; under the log's lock. Never throws. */
  take(): readonly unknown[];
  /** What was taken is in the log. Never throws; a crash before it makes losses told twice, never not at all. */
  told(): void;
}

/** Where the files lie. Names must be new for each process. */
interface UnheardPlace {
  readonly disk: Disk;
  readonly base: string;
  readonly directory: string;
  readonly uniqueName: () => string;
}

/** So many are told at once; the next process tells the next. */
const mostTaken = 1000;
const largestFile = 16_384;

export function openUnheard({ disk, base, directory, uniqueName }: UnheardPlace): UnheardLosses {
  let taken: readonly string[] = [];

  function read(path: string): unknown {
    try {
      const bytes = disk.readRecord(base, path, largestFile);
      return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      return undefined;
    }
  }

  return {
    leave(gap) {
      try {
        disk.ensureDirectory(base, directory, 0o700);
        disk.replace(base, join(directory, `${uniqueName()}.json`), Buffer.from(`${JSON.stringify(gap)}\n`), 0o600);
      } catch {
        return;
      }
    },
    take() {
      try {
        taken = disk.list(directory).filter((name) => /^[\w-]{1,80}\.json$/.test(name)).slice(0, mostTaken).map((name) => join(directory, name));
        return taken.map(read);
      } catch {
        return [];
      }
    },
    told() {
      const paths = taken;
      taken = [];
      try {
        for (const path of paths) disk.remove(path);
      } catch {
        return;
      }
    },
  };
}
