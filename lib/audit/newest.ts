/**
 * Which of the log's files is the newest that holds something, compressed or not. Asked before every batch, and the
 * directory may hold a thousand files: it is listed only when it changed. Empty files are passed over: a process that died
 * right after creating one, or a name with a date that is yet to come, must not decide where the chain goes on.
 */
import type { Clock, Disk } from '../ports.ts';
import { join } from '../base/paths.ts';
import { emptyTail, type ChainTail } from './chain.ts';
import { compareFiles, logFiles, type LogFileName } from './files.ts';
import { tryLogFile } from './log-file.ts';
import { tailIn } from './tail.ts';

interface NewestOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly directory: string;
}

/**
 * File systems date changes by the tick, some by the second. A directory is known only when it was listed so long after its
 * date was first seen that a later change would have another date.
 */
const settledAfterMs = 3000;

export class NewestFile {
  readonly #options: NewestOptions;
  #state = '';
  #since = 0;
  #settled = false;
  /** Newest first. */
  #files: readonly LogFileName[] = [];

  constructor(options: NewestOptions) {
    this.#options = options;
  }

  look(): LogFileName | undefined {
    this.#refresh();
    const { disk, directory } = this.#options;
    return this.#files.find((file) => (disk.stat(join(directory, file.name))?.size ?? 0) > 0 && !(file.compressed && this.#holdsNothing(file)));
  }

  #holdsNothing({ name }: LogFileName): boolean {
    const { disk, directory } = this.#options;
    const file = tryLogFile(disk, directory, name);
    if (file === 'unreadable') return false;
    const size = file?.stat().size ?? 0;
    file?.close();
    return size === 0;
  }

  /** Where the chain stands at the end of the newest file before `name` that holds an entry. */
  tailBefore(name: LogFileName): ChainTail {
    this.#refresh();
    for (const file of this.#files) {
      const tail = compareFiles(file, name) < 0 ? this.tailOf(file) : undefined;
      if (tail !== undefined) return tail;
    }
    return emptyTail;
  }

  /** Where the chain stands at the end of a file; undefined when that cannot be told. */
  tailOf(name: LogFileName): ChainTail | undefined {
    try {
      return tailIn(this.#options.disk, this.#options.directory, name.name);
    } catch (error) {
      // One that is compressed and cannot be inflated is verification's concern: the log goes on from the one before.
      if (name.compressed) return undefined;
      throw error;
    }
  }

  #refresh(): void {
    const { disk, clock, directory } = this.#options;
    const stat = disk.stat(directory);
    const now = clock.monotonic();
    const state = `${stat?.device} ${stat?.inode} ${stat?.modifiedMs}`;
    if (state === this.#state && this.#settled) return;
    if (state !== this.#state) [this.#state, this.#since] = [state, now];
    this.#settled = now - this.#since > settledAfterMs;
    // Of a file that stands there twice, the plain one is to be written on.
    this.#files = logFiles(disk.list(directory)).toSorted((a, b) => compareFiles(b, a) || Number(a.compressed) - Number(b.compressed));
  }
}
