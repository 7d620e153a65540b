/**
 * The store as one process sees it: objects and newest transactions in memory, and the place in the journal up to which
 * they have been read. Reading takes no lock and changes nothing on disk; what does not fit the chain of checksums is
 * reported, and decided under the lock by the writer.
 */
import type { Disk, ReadFile } from '../ports.ts';
import { linesOf, pieces } from '../journal/lines.ts';
import { damageAt, missingFile } from './damage.ts';
import type { Damage } from './damage.ts';
import { decode, firstSum } from './frame.ts';
import type { BeginFrame, CommitFrame, Frame } from './frame.ts';
import { History } from './history.ts';
import type { StoreIndex } from './indexes.ts';
import type { Layout } from './layout.ts';
import { storeFiles } from './layout.ts';
import { assertKnown } from './migrations.ts';
import { Objects } from './objects.ts';
import { readSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** What a replica keeps beside the objects. */
export interface ReplicaOptions {
  /** Transactions kept for watchers. */
  readonly history: number;
  readonly indexes: readonly StoreIndex[];
}

/**
 * The state a generation begins with, and its journal, of which nothing has been read. It is the lowest generation whose
 * snapshot is there: the journals after it are linked to it, and their own snapshots may not have been written yet.
 */
export function loadReplica(disk: Disk, layout: Layout, options: ReplicaOptions): Replica | Damage | 'empty' {
  const files = storeFiles(disk, layout).filter(({ temporary }) => !temporary);
  const journals = files.filter(({ kind }) => kind === 'journal');
  const [lowest] = journals;
  if (lowest === undefined) return files.length === 0 ? 'empty' : { ...damageAt(layout.directory, 0, 'there is a snapshot and no journal'), missing: true };
  const first = journals.find(({ generation }) => generation === 1 || files.some((file) => file.kind === 'snapshot' && file.generation === generation));
  if (first === undefined) return missingFile(layout.snapshot(lowest.generation));
  const { generation } = first;
  const journal = disk.openRead(layout.journal(generation));
  if (journal === undefined) return missingFile(layout.journal(generation));
  try {
    const snapshot = generation === 1 ? nothingYet(options) : readSnapshot(disk, layout.snapshot(generation), generation, options.indexes);
    if ('objects' in snapshot) return new Replica({ disk, layout, generation, journal, snapshot, history: options.history });
    journal.close();
    return snapshot;
  } catch (error) {
    journal.close();
    throw error;
  }
}

/** What a first journal begins with. It says itself which schema its objects have. */
function nothingYet({ indexes }: ReplicaOptions): Omit<Snapshot, 'schema'> {
  return { objects: new Objects(indexes), revision: 0, sum: firstSum, reaches: 0 };
}

/** A journal that is open, and what stood before it. */
export interface ReplicaParts {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly generation: number;
  readonly journal: ReadFile;
  readonly snapshot: Omit<Snapshot, 'schema'> & { readonly schema?: number };
  readonly history: number;
}

export class Replica {
  readonly objects: Objects;
  readonly history: History;
  readonly #disk: Disk;
  readonly #layout: Layout;
  #generation: number;
  #journal: ReadFile;
  /** The journal's first line has been read. */
  #begun = false;
  /** The journal's last line, which names the next one, has been read; the next one is not open yet. */
  #next: number | undefined;
  #offset = 0;
  #closed = false;
  #sum: string;
  #schema: number | undefined;
  /** The snapshot's objects are whole only with the journal up to this revision. */
  readonly #reaches: number;

  constructor({ disk, layout, generation, journal, snapshot: { objects, schema, revision, sum, reaches }, history }: ReplicaParts) {
    this.#disk = disk;
    this.#layout = layout;
    this.#generation = generation;
    this.#journal = journal;
    this.objects = objects;
    this.history = new History(history, revision);
    this.#sum = sum;
    this.#schema = schema;
    this.#reaches = reaches;
  }

  get generation(): number {
    return this.#generation;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Bytes of the journal that have been read. */
  get offset(): number {
    return this.#offset;
  }

  /** Sum of the last line, the closing one aside: what the next line is chained to. */
  get sum(): string {
    return this.#sum;
  }

  get revision(): number {
    return this.history.newest;
  }

  /** Of what the objects mean; 1 when nothing said so. */
  get schema(): number {
    return this.#schema ?? 1;
  }

  /** Reads what is new, on into the next journals. Undefined when all whole lines have been read; a tail without line feed waits. */
  follow(): Damage | undefined {
    for (;;) {
      const { size } = this.#journal.stat();
      if (size < this.#offset) return this.#damage(size, 'it is shorter than before');
      const damage = size === this.#offset ? undefined : this.#readTo(size);
      if (damage !== undefined) return damage;
      if (this.#next === undefined) return this.revision < this.#reaches && this.#begun ? this.#damage(size, `it ends at revision ${this.revision}, and the snapshot before it reaches ${this.#reaches}`) : undefined;
      const journal = this.#disk.openRead(this.#layout.journal(this.#next));
      if (journal === undefined) return missingFile(this.#layout.journal(this.#next));
      this.#journal.close();
      this.#journal = journal;
      this.#generation = this.#next;
      [this.#offset, this.#begun, this.#next] = [0, false, undefined];
    }
  }

  close(): void {
    if (!this.#closed) this.#journal.close();
    this.#closed = true;
  }

  #readTo(size: number): Damage | undefined {
    for (const piece of pieces(this.#journal, this.#offset, size)) {
      if (!piece.complete) return undefined;
      for (const [start, end] of linesOf(piece.bytes)) {
        const line = piece.bytes.subarray(start, end);
        const found = this.#take(line);
        if (found !== undefined) {
          return { ...this.#damage(this.#offset, found), tornWrite: piece.offset + end + 1 === size && lostSector(line, this.#offset) };
        }
        this.#offset = piece.offset + end + 1;
      }
    }
    return undefined;
  }

  /** Takes a line; the words of what is wrong with it, if anything is. */
  #take(line: Uint8Array): string | undefined {
    const decoded = decode(line, this.#sum);
    if (decoded === undefined) return 'the line does not match its checksum';
    const found = this.#use(decoded.frame, line.length);
    if (found === undefined && decoded.frame.kind !== 'next') this.#sum = decoded.sum;
    return found;
  }

  #use(frame: Frame, bytes: number): string | undefined {
    if (!this.#begun) return frame.kind === 'begin' ? this.#beginWith(frame) : 'the first line is not that of a journal';
    if (this.#next !== undefined) return 'a line follows the last one';
    if (frame.kind === 'commit') return this.#commit(frame, bytes);
    if (frame.kind !== 'next' || frame.generation !== this.#generation + 1) return 'the line does not belong into this journal';
    this.#next = frame.generation;
    return undefined;
  }

  #beginWith({ format, schema, generation, revision, after }: BeginFrame): string | undefined {
    assertKnown({ format });
    if (schema !== (this.#schema ?? schema)) return `its objects have schema ${schema}, those before it ${this.schema}`;
    if (generation !== this.#generation || revision !== this.revision || after !== this.#sum) {
      return 'it does not go on where the store before it ends';
    }
    [this.#begun, this.#schema] = [true, schema];
    return undefined;
  }

  #commit({ revision, transactions }: CommitFrame, bytes: number): string | undefined {
    if (revision !== this.revision + 1) return `revision ${revision} follows ${this.revision}`;
    for (const changes of transactions) {
      const at = this.revision + 1;
      for (const change of changes) this.objects.apply(change, at);
      this.history.add(changes.map((change) => ({ ...change, revision: at })), Math.ceil(bytes / transactions.length));
    }
    return undefined;
  }

  #damage(offset: number, found: string): Damage {
    return damageAt(this.#layout.journal(this.#generation), offset, found);
  }
}

/** Storage loses what was not synced in units of at least this many bytes, which then read as zeros. */
const sectorBytes = 512;

/** Whether a line at a byte of the file begins, or a sector within it begins, with a NUL, which no line holds. */
function lostSector(line: Uint8Array, offset: number): boolean {
  for (let at = 0; at < line.length; at += sectorBytes - ((offset + at) % sectorBytes)) {
    if (line[at] === 0) return true;
  }
  return false;
}
