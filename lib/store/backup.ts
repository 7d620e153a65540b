/**
 * Reading a whole store without taking part in it: no lock, nothing set aside, nothing written, while others go on. A backup
 * is what such a reading found, as one snapshot in one file of its own: the sum of its last line covers every byte before it.
 */
import type { Disk, FileInMaking, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { createSha256 } from '../base/digest.ts';
import { corrupt } from './damage.ts';
import type { Damage } from './damage.ts';
import { firstSum } from './frame.ts';
import { layoutBelow } from './layout.ts';
import type { Layout } from './layout.ts';
import { assertSchemaKnown, migrations, schemaAfter } from './migrations.ts';
import { loadReplica } from './replica.ts';
import type { Replica } from './replica.ts';
import { readSnapshot, SnapshotWriter } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** A store that is only looked at. */
export interface StorePlace {
  readonly disk: Disk;
  /** LOKI_HOME. */
  readonly base: string;
  readonly timers: Timers;
}

/** How far long work has come: objects, of so many. */
export type OnProgress = (done: number, total: number) => void;

/** What a backup holds. */
export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly objects: number;
  readonly revision: number;
  readonly schema: number;
}

/** Files that another process replaces while they are read are read again. */
const mostTries = 5;
const againAfterMs = 50;

/** Everything that was acknowledged before the call; or what is wrong with it; or `empty` when there is no store. */
export async function lookAtStore({ disk, base, timers }: StorePlace): Promise<Replica | Damage | 'empty'> {
  const layout = layoutBelow(base);
  for (let tries = 1; ; tries += 1) {
    const found = lookOnce(disk, layout);
    if (found === 'empty' || 'objects' in found || tries === mostTries) return found;
    await timers.sleep(againAfterMs);
  }
}

function lookOnce(disk: Disk, layout: Layout): Replica | Damage | 'empty' {
  const replica = loadReplica(disk, layout, { history: 0, indexes: [] });
  if (replica === 'empty' || !('objects' in replica)) return replica;
  let damage: Damage | undefined;
  try {
    damage = replica.follow();
    assertSchemaKnown(replica.schema, schemaAfter(migrations));
  } finally {
    replica.close();
  }
  // A write that did not reach the medium was never acknowledged; the next writer sets it aside.
  return damage === undefined || damage.tornWrite ? replica : damage;
}

/** Writes a backup, durable when it resolves. Throws `conflict` when the file is there, `not_found` when there is no store. */
export async function backupStore(place: StorePlace, path: string, onProgress: OnProgress, signal: AbortSignal): Promise<BackupReport> {
  const attempted = `back up the store to "${path}"`;
  if (place.disk.stat(path) !== undefined) throw new LokiError('conflict', { attempted, found: 'the file is there', hint: 'Name another file, or move this one away' });
  const replica = await lookAtStore(place);
  if (replica === 'empty') throw new LokiError('not_found', { attempted, found: 'there is no store yet', hint: 'It comes with the first run, approval or key' });
  if (!('objects' in replica)) throw corrupt(replica);
  const file = place.disk.beginFile(path, 0o600);
  try {
    const written = await writeBackup(file, replica, place.timers, onProgress, signal);
    file.settle();
    file.finish(false);
    return { file: path, ...written, objects: replica.objects.size, revision: replica.revision, schema: replica.schema };
  } finally {
    file.abandon();
  }
}

async function writeBackup(file: FileInMaking, { objects, schema, revision }: Replica, timers: Timers, onProgress: OnProgress, signal: AbortSignal): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createSha256();
  let bytes = 0;
  const append = (piece: Uint8Array): void => {
    file.write(piece);
    hash.add(piece);
    bytes += piece.length;
  };
  const writer = new SnapshotWriter({ file: { append, close: () => undefined }, begin: { schema, generation: 1, revision, after: firstSum }, objects, stepBytes: 1024 * 1024 });
  while (!writer.step(revision)) {
    onProgress(writer.count, objects.size);
    await timers.yield();
    if (signal.aborted) throw new LokiError('interrupted', { attempted: 'back up the store', found: 'interrupted' });
  }
  return { bytes, sha256: hash.hex() };
}

/** A backup, read and checked to its last byte. Throws `not_found`, `store.newer`, and `store.corrupt` for what is cut, changed or no backup. */
export function readBackup(disk: Disk, path: string): Snapshot {
  const attempted = `read the backup "${path}"`;
  if (disk.stat(path) === undefined) throw new LokiError('not_found', { attempted, found: 'there is no such file' });
  const found = readSnapshot(disk, path, undefined, []);
  if (!('objects' in found)) throw new LokiError('store.corrupt', { attempted, found: `byte ${found.offset}: ${found.found}`, hint: 'It is no whole backup; use another one' });
  assertSchemaKnown(found.schema, schemaAfter(migrations));
  if (found.reaches > found.revision) throw new LokiError('store.corrupt', { attempted, found: 'it is the snapshot of a store, which is not whole without its journal', hint: 'Use a file that loki store backup wrote' });
  return found;
}
