/**
 * Puts a backup in the place of a store, as its next generation: revisions go on from where they were, so that no revision
 * ever means two things. What was there gets other names and is not removed, and may be as damaged as it likes. Until the first of its
 * journals is renamed the old store is the store, afterwards the restored one, whatever happens in between.
 */
import type { Disk, Lock } from '../ports.ts';
import { readBackup } from './backup.ts';
import { encodeBegin, firstSum } from './frame.ts';
import { layoutBelow, storeFiles } from './layout.ts';
import type { Layout, StoreFile } from './layout.ts';
import { loadReplica } from './replica.ts';
import { SnapshotWriter } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

export interface RestoreOptions {
  readonly disk: Disk;
  /** LOKI_HOME. */
  readonly base: string;
  readonly file: string;
  /** The lock of the store. */
  readonly lock: Lock;
  readonly lockTimeoutMs: number;
  /** Goes into the names of the files that were there; not used before. */
  readonly stamp: string;
}

/** What a restore does, or would do. */
export interface RestorePlan {
  readonly file: string;
  readonly objects: number;
  readonly schema: number;
  /** Revision of the backup. */
  readonly backup_revision: number;
  /** Revision of the store that is replaced; null when there is none or it cannot be read. */
  readonly replaced_revision: number | null;
  /** Revision the store will have. */
  readonly revision: number;
  /** What the files that were there are called then, with * for their names before; null when there were none. */
  readonly kept_as: string | null;
}

/** A backup that was read, ready to be put in place. */
export interface Restore {
  readonly plan: RestorePlan;
  /** Does it; `agreed` is asked under the lock, before anything is written, with what will be done. */
  apply(agreed: (plan: RestorePlan) => Promise<void>): Promise<RestorePlan>;
}

/** Reads the backup whole, and says what would be done. Throws as `readBackup`. */
export function openRestore(options: RestoreOptions): Restore {
  const backup = readBackup(options.disk, options.file);
  return {
    plan: planOf(options, backup),
    async apply(agreed) {
      await options.lock.acquire(options.lockTimeoutMs);
      try {
        const plan = planOf(options, backup);
        await agreed(plan);
        putInPlace(options, backup, plan);
        return plan;
      } finally {
        options.lock.release();
      }
    },
  };
}

function planOf({ disk, base, file, stamp }: RestoreOptions, { objects, schema, revision }: Snapshot): RestorePlan {
  const layout = layoutBelow(base);
  const replaced = revisionOf(disk, layout);
  const isThere = storeFiles(disk, layout).length > 0;
  return {
    file, objects: objects.size, schema, backup_revision: revision, replaced_revision: replaced ?? null,
    revision: Math.max(revision, replaced ?? 0) + 1, kept_as: isThere ? layout.replaced(stamp, '*') : null,
  };
}

/** Of a store that can be read; a damaged one is what backups are for. */
function revisionOf(disk: Disk, layout: Layout): number | undefined {
  try {
    const replica = loadReplica(disk, layout, { history: 0, indexes: [] });
    if (replica === 'empty' || !('objects' in replica)) return undefined;
    replica.follow();
    replica.close();
    return replica.revision;
  } catch {
    return undefined;
  }
}

function putInPlace({ disk, base, stamp }: RestoreOptions, { objects, schema }: Snapshot, { revision }: RestorePlan): void {
  const layout = layoutBelow(base);
  disk.ensureDirectory(base, layout.directory, 0o700);
  const old = storeFiles(disk, layout);
  const generation = Math.max(1, ...old.map((file) => file.generation)) + 1;
  const begin = { schema, generation, revision, after: firstSum };
  const temporary = `${layout.snapshot(generation)}.tmp`;
  try {
    const writer = new SnapshotWriter({ file: disk.openRecord(base, temporary, 0o600), begin, objects, stepBytes: 4 * 1024 * 1024 });
    try {
      while (!writer.step(revision));
    } finally {
      writer.close();
    }
  } catch (error) {
    disk.remove(temporary);
    throw error;
  }
  disk.move(temporary, layout.snapshot(generation));
  const journal = disk.openRecord(base, layout.journal(generation), 0o600);
  try {
    journal.append(encodeBegin(begin).bytes);
  } finally {
    journal.close();
  }
  const journalsFirst = (file: StoreFile): number => (file.kind === 'journal' ? 0 : 1);
  for (const { name } of old.toSorted((a, b) => journalsFirst(a) - journalsFirst(b))) disk.move(`${layout.directory}/${name}`, layout.replaced(stamp, name));
}
