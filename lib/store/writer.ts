/**
 * Everything that changes the store's files, always under the lock: bringing what was read up to date, setting torn tails
 * aside, appending, and beginning the next generation when the journal has grown. Damage that a power cut does not explain
 * is refused, never repaired.
 */
import type { Disk } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import { openSegment } from '../journal/segment.ts';
import type { Segment, TornTail } from '../journal/segment.ts';
import { corrupt, damageAt } from './damage.ts';
import type { Damage } from './damage.ts';
import { encodeBegin, encodeCommit, encodeNext, firstSum } from './frame.ts';
import type { WrittenChange } from './frame.ts';
import type { Layout, StoreFile } from './layout.ts';
import { storeFiles } from './layout.ts';
import { loadReplica } from './replica.ts';
import type { Replica, ReplicaOptions } from './replica.ts';
import { writeSnapshot } from './snapshot.ts';

/** Something an operator should hear of; the store goes on. */
export type StoreTrouble =
  | { readonly kind: 'torn'; readonly tail: TornTail }
  | { readonly kind: 'snapshot_failed'; readonly message: string };

export interface WriterOptions {
  readonly disk: Disk;
  readonly base: string;
  readonly layout: Layout;
  readonly replica: ReplicaOptions;
  /** A journal longer than this, and longer than its snapshot, is followed by a new generation. */
  readonly journalBytes: number;
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** Where bringing a replica up to date ended: `replaced` means that the files are not those it was reading. */
type Brought = 'settled' | 'again' | 'replaced' | Damage;

/** The longest line a journal may hold: a transaction's values, its keys and checks of the bounds around them. */
export const longestLine: number = 4 * 1024 * 1024;

/** How often reading starts over when other processes replace files meanwhile; under the lock that means damage. */
const mostTries = 5;

export class Writer {
  readonly #options: WriterOptions;
  #segment: { readonly generation: number; readonly file: Segment } | undefined;
  /** Journal size at which a new generation is begun. */
  #turnAt = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** A replica that knows all that is on disk; the one given, when it can be brought there. The files end in a whole line. */
  settle(given: Replica | undefined): Replica {
    let replica = given;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const fresh = replica === undefined;
      replica ??= this.#load();
      const result = this.#tryBringUp(replica);
      if (result === 'settled') return replica;
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

  /** Begins a new generation when the journal is long enough. Failing to is no failure of what was committed. */
  turnWhenLong(replica: Replica): void {
    if (replica.offset < this.#turnAt) return;
    try {
      this.#turn(replica);
    } catch (error) {
      this.#closeSegment();
      this.#turnAt = replica.offset + this.#options.journalBytes;
      this.#options.onTrouble({ kind: 'snapshot_failed', message: messageOf(error) });
    }
  }

  close(): void {
    this.#closeSegment();
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
    segment.append(encodeBegin(1, 0, firstSum).bytes);
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
   * The order makes every crash readable: the snapshot and the new journal stand, durable, before the old journal's last
   * line names them; only then is the old generation removed, journal first, so that the lowest journal always has its
   * snapshot.
   */
  #turn(replica: Replica): void {
    const { disk, base, layout } = this.#options;
    const generation = replica.generation + 1;
    disk.remove(layout.journal(generation));
    writeSnapshot(disk, base, layout, generation, replica);
    const next = this.#open(generation);
    try {
      next.append(encodeBegin(generation, replica.revision, replica.sum).bytes);
    } finally {
      next.close();
    }
    this.#segmentOf(replica.generation).append(encodeNext(generation, replica.sum).bytes);
    const damage = replica.follow();
    if (damage !== undefined) throw corrupt(damage);
    this.#segmentOf(generation).refresh();
  }

  /** The segment of a generation, opened when it is not yet; older generations are then gone from the disk. */
  #segmentOf(generation: number): Segment {
    if (this.#segment?.generation === generation) return this.#segment.file;
    this.#closeSegment();
    const file = this.#open(generation);
    this.#segment = { generation, file };
    const snapshot = this.#removeOlder(generation);
    this.#turnAt = Math.max(this.#options.journalBytes, snapshot);
    return file;
  }

  #open(generation: number): Segment {
    const { disk, base, layout } = this.#options;
    return openSegment({ disk, base, path: layout.journal(generation), mode: 0o600, tornDirectory: layout.torn, longestLine });
  }

  /**
   * Finishes what a process that died in the middle left: nothing may be appended to a journal while one before it is
   * there, because the line that links them may not be durable. Gives the size of the generation's snapshot.
   */
  #removeOlder(generation: number): number {
    const { disk, layout } = this.#options;
    const old = storeFiles(disk, layout).filter((file) => file.generation < generation);
    const journalsFirst = (file: StoreFile): number => (file.kind === 'journal' ? 0 : 1);
    for (const { name } of old.toSorted((a, b) => journalsFirst(a) - journalsFirst(b))) disk.remove(`${layout.directory}/${name}`);
    return disk.stat(layout.snapshot(generation))?.size ?? 0;
  }

  #closeSegment(): void {
    this.#segment?.file.close();
    this.#segment = undefined;
  }
}
