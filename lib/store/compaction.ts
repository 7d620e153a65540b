/**
 * The snapshot that a new generation is to have, while it is being written: in steps, beside the changes that go on, and not
 * under the lock. Only its last step, taking the place of the generations before, needs the lock. One that a process could
 * not finish is missed by nobody: the journals stay, and the next generation gets a snapshot of its own.
 */
import type { Disk } from '../ports.ts';
import type { Begin } from './frame.ts';
import type { Layout } from './layout.ts';
import type { Replica } from './replica.ts';
import { SnapshotWriter } from './snapshot.ts';

export interface CompactionOptions {
  readonly disk: Disk;
  readonly base: string;
  readonly layout: Layout;
  /** Bytes of one step. */
  readonly stepBytes: number;
}

interface Job {
  readonly replica: Replica;
  readonly generation: number;
  readonly temporary: string;
  readonly writer: SnapshotWriter;
  written: boolean;
}

export class Compaction {
  readonly #options: CompactionOptions;
  #job: Job | undefined;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#job !== undefined;
  }

  /** Whether the snapshot is whole and waits to be taken over. */
  get written(): boolean {
    return this.#job?.written ?? false;
  }

  /** Begins the snapshot of the generation the replica is at, whose journal begins so. */
  begin(replica: Replica, begin: Begin): void {
    const { disk, base, layout, stepBytes } = this.#options;
    const { generation } = begin;
    const temporary = `${layout.snapshot(generation)}.tmp`;
    disk.remove(temporary);
    const writer = new SnapshotWriter({ file: disk.openRecord(base, temporary, 0o600), begin, objects: replica.objects, stepBytes });
    this.#job = { replica, generation, temporary, writer, written: false };
  }

  /** Writes on; true once the snapshot waits to be taken over. A replica that is another one since has no use for it. */
  step(replica: Replica | undefined): boolean {
    const job = this.#job;
    if (job === undefined || job.written) return job !== undefined;
    if (replica !== job.replica) {
      this.abandon();
      return false;
    }
    job.written = job.writer.step(job.replica.revision);
    return job.written;
  }

  /**
   * Under the lock, with all that the journals hold durable: the snapshot gets its name. False when there is none to take over,
   * or others have been faster.
   */
  takeOver(replica: Replica): boolean {
    const job = this.#job;
    if (job === undefined || !job.written) return false;
    const { disk, layout } = this.#options;
    // The journal is gone when a later generation has its snapshot.
    if (replica !== job.replica || disk.stat(layout.journal(job.generation)) === undefined) {
      this.abandon();
      return false;
    }
    this.#job = undefined;
    disk.move(job.temporary, layout.snapshot(job.generation));
    return true;
  }

  /** Leaves it, as far as the disk lets it: what stays is replaced or removed by a later generation. */
  abandon(): void {
    const job = this.#job;
    this.#job = undefined;
    if (job === undefined) return;
    try {
      job.writer.close();
      this.#options.disk.remove(job.temporary);
    } catch {
      return;
    }
  }
}
