/**
 * Everything that changes the store's files under the lock: bringing what was read up to date, setting torn tails aside,
 * appending, beginning the next generation when the journal has grown, and migrating. Damage that a power cut does not
 * explain is refused, never repaired; so is what a newer release wrote.
 */
import type { Disk } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import { openSegment } from '../journal/segment.ts';
import type { Segment, TornTail } from '../journal/segment.ts';
import { Compaction } from './compaction.ts';
import { corrupt, damageAt } from './damage.ts';
import type { Damage } from './damage.ts';
import { encodeBegin, encodeCommit, encodeNext, firstSum } from './frame.ts';
import type { Begin, WrittenChange } from './frame.ts';
import type { Layout, StoreFile } from './layout.ts';
import { storeFiles } from './layout.ts';
import { assertSchemaKnown, schemaAfter } from './migrations.ts';
import type { Migration } from './migrations.ts';
import { loadReplica } from './replica.ts';
import type { Replica, ReplicaOptions } from './replica.ts';
import { applyMigrations } from './migrate.ts';
import { SnapshotWriter } from './snapshot.ts';

/** Something an operator should hear of; the store goes on. */
export type StoreTrouble =
  | { readonly kind: 'torn'; readonly tail: TornTail }
  | { readonly kind: 'snapshot_failed'; readonly message: string }
  | { readonly kind: 'migrated'; readonly from: number; readonly to: number; readonly what: readonly string[] };

export interface WriterOptions {
  readonly disk: Disk;
  readonly base: string;
  readonly layout: Layout;
  readonly replica: ReplicaOptions;
  /** A journal longer than this, and than a part of its snapshot, is followed by a new generation. */
  readonly journalBytes: number;
  /** Bytes of a snapshot that are written at a time. */
  readonly stepBytes: number;
  readonly migrations: readonly Migration[];
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** Where bringing a replica up to date ended: `replaced` means that the files are not those it was reading. */
type Brought = 'settled' | 'again' | 'replaced' | Damage;

/** The longest line a journal may hold: a transaction's values, its keys and checks of the bounds around them. */
export const longestLine: number = 4 * 1024 * 1024;

/** How often reading starts over when other processes replace files meanwhile; under the lock that means damage. */
const mostTries = 5;

/** A journal as long as this part of the snapshot is worth a new one: reading it costs more than reading as much of the snapshot. */
const shareOfSnapshot = 4;

export class Writer {
  readonly #options: WriterOptions;
  readonly #compaction: Compaction;
  #segment: { readonly generation: number; readonly file: Segment } | undefined;
  /** Journal size at which a new generation is begun. */
  #turnAt = 0;
  /** The same after a failure, until one has been begun. */
  #turnAfter = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#compaction = new Compaction(options);
  }

  /** A snapshot is being written: `compact` is to be called until it is not. */
  get compacting(): boolean {
    return this.#compaction.running;
  }

  /** A replica that knows all that is on disk; the one given, when it can be brought there. The files end in a whole line. */
  settle(given: Replica | undefined): Replica {
    let replica = given;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const fresh = replica === undefined;
      replica ??= this.#load();
      const result = this.#tryBringUp(replica);
      if (result === 'settled' && replica.schema === schemaAfter(this.#options.migrations)) return replica;
      if (result === 'settled') {
        this.#migrate(replica);
        replica = undefined;
        continue;
      }
      if (result === 'again') continue;
      this.#closeSegment();
      replica.close();
      if (fresh && result !== 'replaced') throw corrupt(result);
      replica = undefined;
    }
    throw new LokiError('store.corrupt', { attempted: 'read the store', found: `its files in "${this.#options.layout.directory}" keep changing under the lock` });
  }

  /** Appends transactions that follow the settled replica, durable when it returns, and lets the replica read them. */
  commit(replica: Replica, transactions: readonly (readonly WrittenChange[])[]): void {
    const { bytes } = encodeCommit(replica.revision + 1, transactions, replica.sum);
    this.#append(replica, bytes);
    const damage = replica.follow();
    if (damage !== undefined) throw corrupt(damage);
    if (replica.offset === this.#segmentOf(replica.generation).size()) return;
    throw corrupt(damageAt(this.#options.layout.journal(replica.generation), replica.offset, 'what was appended cannot be read back'));
  }

  /**
   * Begins a new generation when the journal is long enough, and its snapshot, which is finished at once when it is short.
   * Failing to is no failure of what was committed.
   */
  turnWhenLong(replica: Replica): void {
    if (replica.offset < Math.max(this.#turnAt, this.#turnAfter) || this.#compaction.running) return;
    this.#trying(replica, () => {
      this.#compaction.begin(replica, this.#turn(replica));
      if (this.#compaction.step(replica)) this.takeOver(replica);
    });
  }

  /** Needs no lock. Writes some of the snapshot; true once it waits to be taken over. */
  compact(replica: Replica | undefined): boolean {
    try {
      return this.#compaction.step(replica);
    } catch (error) {
      this.#failed(replica, error);
      return false;
    }
  }

  /** Lets a snapshot that is whole take the place of the generations before it. */
  takeOver(replica: Replica): void {
    if (!this.#compaction.written) return;
    this.#trying(replica, () => {
      const segment = this.#segmentOf(replica.generation);
      // The snapshot must not know more than the journals keep, whoever wrote them.
      segment.sync();
      if (this.#compaction.takeOver(replica)) this.#removeOlder(replica.generation);
    });
  }

  close(): void {
    this.#compaction.abandon();
    this.#closeSegment();
  }

  /** Under the lock. */
  #trying(replica: Replica, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#closeSegment();
      this.#failed(replica, error);
    }
  }

  /** It is tried again when the journal has grown as much once more. */
  #failed(replica: Replica | undefined, error: unknown): void {
    this.#compaction.abandon();
    this.#turnAfter = (replica?.offset ?? 0) + this.#options.journalBytes;
    this.#options.onTrouble({ kind: 'snapshot_failed', message: messageOf(error) });
  }

  #load(): Replica {
    const { disk, layout, replica } = this.#options;
    let loaded = loadReplica(disk, layout, replica);
    if (loaded === 'empty') {
      this.#segmentOf(1);
      loaded = loadReplica(disk, layout, replica);
    }
    if (loaded !== 'empty' && 'objects' in loaded) return loaded;
    throw corrupt(loaded === 'empty' ? damageAt(layout.directory, 0, 'its journal vanished') : loaded);
  }

  #tryBringUp(replica: Replica): Brought {
    try {
      return this.#bringUp(replica);
    } catch (error) {
      this.#closeSegment();
      replica.close();
      throw error;
    }
  }

  #bringUp(replica: Replica): Brought {
    const damage = replica.follow();
    if (damage !== undefined && !damage.tornWrite) return damage;
    assertSchemaKnown(replica.schema, schemaAfter(this.#options.migrations));
    const { generation } = replica;
    // Opening a segment creates a file that is missing; this one must be there.
    if (this.#options.disk.stat(this.#options.layout.journal(generation)) === undefined) return 'replaced';
    const segment = this.#segmentOf(generation);
    const refreshed = segment.refresh();
    if (refreshed.kind === 'replaced') return 'replaced';
    if (refreshed.kind === 'grown' && refreshed.torn !== undefined) this.#torn(refreshed.torn);
    if (damage !== undefined) {
      this.#torn(segment.setAside(damage.offset));
      return 'again';
    }
    if (segment.size() !== replica.offset) return 'replaced';
    if (replica.begun) return 'settled';
    if (generation > 1) return damageAt(segment.path, 0, 'its first line is missing');
    // The first journal of all was created, and its first line did not reach the disk.
    segment.append(encodeBegin({ schema: schemaAfter(this.#options.migrations), generation: 1, revision: 0, after: firstSum }).bytes);
    return 'again';
  }

  #torn(tail: TornTail): void {
    this.#options.onTrouble({ kind: 'torn', tail });
  }

  /**
   * A failed append leaves a line in the file when only its sync failed. It is set aside through a new handle, so that
   * nothing is built on bytes that may never reach the medium; the caller's transactions did not happen.
   */
  #append(replica: Replica, bytes: Uint8Array): void {
    try {
      this.#segmentOf(replica.generation).append(bytes);
    } catch (error) {
      this.#closeSegment();
      this.#takeBack(replica);
      throw error;
    }
  }

  #takeBack(replica: Replica): void {
    try {
      const segment = this.#segmentOf(replica.generation);
      segment.refresh();
      if (segment.size() > replica.offset) this.#torn(segment.setAside(replica.offset));
    } catch {
      // The disk does not even take that. The next settle() reads what there is, which may include the line.
      this.#closeSegment();
    }
  }

  /**
   * The journal of the next generation stands, durable, before the last line of this one names it. From then on that is where
   * the store goes on; this one stays until the next one has its snapshot, which begins as its journal does.
   */
  #turn(replica: Replica): Begin {
    const begin = { schema: replica.schema, generation: replica.generation + 1, revision: replica.revision, after: replica.sum };
    const { generation } = begin;
    this.#clear(generation);
    this.#beginJournal(encodeBegin(begin), generation);
    this.#segmentOf(replica.generation).append(encodeNext(generation, replica.sum).bytes);
    const damage = replica.follow();
    if (damage !== undefined) throw corrupt(damage);
    this.#segmentOf(generation).refresh();
    this.#turnAfter = 0;
    return begin;
  }

  /** What an earlier try left of a generation: its snapshot first, which nobody reads without the journal. */
  #clear(generation: number): void {
    const { disk, layout } = this.#options;
    disk.remove(layout.snapshot(generation));
    disk.remove(layout.journal(generation));
  }

  #beginJournal({ bytes }: { readonly bytes: Uint8Array }, generation: number): void {
    const journal = this.#open(generation);
    try {
      journal.append(bytes);
    } finally {
      journal.close();
    }
  }

  /**
   * A generation of its own, with its snapshot, that nobody reads until the lowest journal is removed: at that moment the store
   * has the new schema. Whoever still follows the old journal finds its last line, and reads anew.
   */
  #migrate(replica: Replica): void {
    const { disk, base, layout, stepBytes, migrations, onTrouble } = this.#options;
    const [from, to, generation, revision] = [replica.schema, schemaAfter(migrations), replica.generation + 1, replica.revision + 1];
    const steps = migrations.filter((step) => step.to > from);
    const begin = { schema: to, generation, revision, after: replica.sum };
    try {
      applyMigrations(replica.objects, steps, revision);
      this.#clear(generation);
      const temporary = `${layout.snapshot(generation)}.tmp`;
      disk.remove(temporary);
      const writer = new SnapshotWriter({ file: disk.openRecord(base, temporary, 0o600), begin, objects: replica.objects, stepBytes });
      try {
        while (!writer.step(revision));
      } finally {
        writer.close();
      }
      disk.move(temporary, layout.snapshot(generation));
      this.#beginJournal(encodeBegin(begin), generation);
      const old = this.#segmentOf(replica.generation);
      this.#removeOlder(generation);
      old.append(encodeNext(generation, replica.sum).bytes);
    } finally {
      this.#closeSegment();
      replica.close();
    }
    onTrouble({ kind: 'migrated', from, to, what: steps.map(({ what }) => what) });
  }

  /** The segment of a generation, opened when it is not yet. The line that leads to it is then on the medium. */
  #segmentOf(generation: number): Segment {
    if (this.#segment?.generation === generation) return this.#segment.file;
    this.#closeSegment();
    this.#syncBefore(generation);
    const file = this.#open(generation);
    this.#segment = { generation, file };
    try {
      this.#removeOlder(generation);
    } catch (error) {
      // It is read for longer than needed, and tried again with the next segment.
      this.#options.onTrouble({ kind: 'snapshot_failed', message: messageOf(error) });
    }
    return file;
  }

  /**
   * Nothing may be appended to a journal while the line that links it to the one before may not be durable: a process may have
   * died between writing and syncing it.
   */
  #syncBefore(generation: number): void {
    const { disk, layout } = this.#options;
    if (generation === 1 || disk.stat(layout.journal(generation - 1)) === undefined) return;
    const before = this.#open(generation - 1);
    try {
      before.sync();
    } finally {
      before.close();
    }
  }

  #open(generation: number): Segment {
    const { disk, base, layout } = this.#options;
    return openSegment({ disk, base, path: layout.journal(generation), mode: 0o600, tornDirectory: layout.torn, longestLine });
  }

  /**
   * Removes what the newest snapshot up to a generation makes needless, journals first and the lowest first: the lowest journal
   * that has its snapshot is then always where to begin. Finishes what a process that died in the middle left.
   */
  #removeOlder(generation: number): void {
    const { disk, layout, journalBytes } = this.#options;
    const files = storeFiles(disk, layout);
    const newest = Math.max(1, ...files.filter((file) => file.kind === 'snapshot' && !file.temporary && file.generation <= generation).map((file) => file.generation));
    const old = files.filter((file) => file.generation < newest);
    const journalsFirst = (file: StoreFile): number => (file.kind === 'journal' ? 0 : 1);
    for (const { name } of old.toSorted((a, b) => journalsFirst(a) - journalsFirst(b))) disk.remove(`${layout.directory}/${name}`);
    this.#turnAt = Math.max(journalBytes, Math.floor((disk.stat(layout.snapshot(newest))?.size ?? 0) / shareOfSnapshot));
  }

  #closeSegment(): void {
    this.#segment?.file.close();
    this.#segment = undefined;
  }
}
