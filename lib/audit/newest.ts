/**
 * Which of the log's files is the newest that holds something. Asked before every batch, and the directory may hold a
 * thousand files: it is listed only when it changed. Empty files are passed over: a process that died right after creating
 * one, or a name with a date that is yet to come, must not decide where the chain goes on.
 */
import type { Clock, Disk } from '../ports.ts';
import { join } from '../base/paths.ts';
import { endOfLastLine } from '../journal/lines.ts';
import { emptyTail, type ChainTail } from './chain.ts';
import { compareFiles, logFiles, type LogFileName } from './files.ts';
import { findTail, tailWindow } from './tail.ts';

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
    return this.#files.find(({ name }) => (disk.stat(join(directory, name))?.size ?? 0) > 0);
  }

  /** Where the chain stands at the end of the newest file before `name` that holds an entry. */
  tailBefore(name: LogFileName): ChainTail {
    this.#refresh();
    for (const file of this.#files) {
      const tail = compareFiles(file, name) < 0 ? this.#tailOf(file) : undefined;
      if (tail !== undefined) return tail;
    }
    return emptyTail;
  }

  #tailOf({ name }: LogFileName): ChainTail | undefined {
    const { disk, directory } = this.#options;
    const file = disk.openRead(join(directory, name));
    if (file === undefined) return undefined;
    try {
      const size = endOfLastLine(file, file.stat().size, tailWindow);
      const found = size > 0 ? findTail(file, size, 0, undefined) : undefined;
      return found?.kind === 'good' || found?.kind === 'damaged' ? found.tail : undefined;
    } finally {
      file.close();
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
    this.#files = logFiles(disk.list(directory)).filter((file) => !file.compressed).toReversed();
  }
}
