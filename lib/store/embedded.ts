/**
 * The embedded driver of the store port: a journal and a snapshot in `dashboard/store`, all objects in memory, any number
 * of processes on the same files. Reading takes no lock: one `fstat` tells whether others appended, and only what is new
 * is read. Changing takes the lock, looks at what others wrote, checks, appends, syncs. Everything it reads from disk is
 * held against a chain of checksums; what does not fit is refused with `store.corrupt`.
 */
import type { Cancel, Clock, Disk, Lock, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { createGroupCommit } from '../journal/group-commit.ts';
import type { GroupCommit } from '../journal/group-commit.ts';
import { checkBytes, checkDepth, checkKey, checkLimit, checkPrefix, checkRevision, checkTransaction, storeLimits } from './check.ts';
import type { WrittenChange } from './frame.ts';
import { storeIndexes } from './indexes.ts';
import type { StoreIndex } from './indexes.ts';
import { layoutBelow } from './layout.ts';
import type { Layout } from './layout.ts';
import { assertSchemaKnown, migrations, schemaAfter } from './migrations.ts';
import type { Migration } from './migrations.ts';
import { Plan } from './plan.ts';
import type { Wanted } from './plan.ts';
import { loadReplica } from './replica.ts';
import type { Replica, ReplicaOptions } from './replica.ts';
import type { ListByOptions, Store, StoreChange, StoreCheck, StoreEntry, StoreKey, StoreNotice, StoreOutcome } from './store.ts';
import { Writer } from './writer.ts';
import type { StoreTrouble } from './writer.ts';

/** What an embedded store is given. */
export interface EmbeddedStoreOptions {
  /** LOKI_HOME: a real directory of ours. The store lives in `dashboard/store` below it. */
  readonly base: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A lock that all processes of this store share, and this store object alone uses in this process. */
  readonly lock: Lock;
  /** Waiting longer for the lock fails a transaction with `lock.timeout`; 10,000 ms when left out. */
  readonly lockTimeoutMs?: number;
  /** A journal longer than this, and than a quarter of its snapshot, is followed by a new one; 8 MiB when left out. */
  readonly journalBytes?: number;
  /** Bytes of a snapshot that are written at a time, in between the store's other work; 1 MiB when left out. */
  readonly snapshotStepBytes?: number;
  /** How objects of an older release are brought to this one's schema; the table of lib/store/migrations.ts when left out. */
  readonly migrations?: readonly Migration[];
  /** Transactions kept for watchers, 4,096 when left out. */
  readonly history?: number;
  /** What `listBy` finds; the table of lib/store/indexes.ts when left out. */
  readonly indexes?: readonly StoreIndex[];
  /** Told of torn tails that were set aside, of migrations, and of snapshots that could not be written. The store goes on. */
  readonly onTrouble?: (trouble: StoreTrouble) => void;
  /** Called once, when the store is closed or could not be opened. */
  readonly onClose?: () => void;
}

const mebibyte = 1024 * 1024;

/** Between two steps of a snapshot. */
const stepEveryMs = 5;

/** Bytes of a change in the journal beside its key and value; one that removes a key has a weight too. */
const changeOverhead = 16;

/** While something waits in `watch`, other processes' changes are looked for so often; less often once it is quiet. */
const pollMs = { quick: 50, slow: 100, quickRounds: 20 } as const;

/** Opens the store, creating it when there is none. Throws `store.corrupt` when what is there is damaged. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const layout = layoutBelow(options.base);
  options.disk.ensureDirectory(options.base, layout.directory, 0o700);
  const store = new EmbeddedStore(options, layout);
  try {
    await store.revision();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Asked for, it brings everything up to date under the lock. */
const nothing: Wanted = { checks: [], changes: [], bytes: 0 };

class EmbeddedStore implements Store {
  readonly #disk: Disk;
  readonly #timers: Timers;
  readonly #layout: Layout;
  readonly #kept: ReplicaOptions;
  readonly #schema: number;
  readonly #onClose: () => void;
  readonly #writer: Writer;
  readonly #commits: GroupCommit<Wanted, StoreOutcome>;
  readonly #wakers = new Set<() => void>();
  #replica: Replica | undefined;
  #nextStep: Cancel | undefined;
  #watchers = 0;
  #polling = false;
  #quietRounds = 0;
  #closed = false;

  constructor(options: EmbeddedStoreOptions, layout: Layout) {
    const { base, disk, clock, timers, lock } = options;
    this.#disk = disk;
    this.#timers = timers;
    this.#layout = layout;
    this.#kept = { history: options.history ?? 4096, indexes: options.indexes ?? storeIndexes };
    this.#onClose = options.onClose ?? ((): void => undefined);
    this.#schema = schemaAfter(options.migrations ?? migrations);
    this.#writer = new Writer({
      disk, base, layout, replica: this.#kept, journalBytes: options.journalBytes ?? 8 * mebibyte, stepBytes: options.snapshotStepBytes ?? mebibyte,
      migrations: options.migrations ?? migrations, onTrouble: options.onTrouble ?? ((): void => undefined),
    });
    this.#commits = createGroupCommit({
      lock, clock, timers,
      lockTimeoutMs: options.lockTimeoutMs ?? 10_000,
      batchItems: 256,
      batchBytes: storeLimits.bytes,
      weigh: ({ bytes, changes }) => bytes + changes.length * (storeLimits.key + changeOverhead),
      commit: (wanted) => this.#commit(wanted),
    });
  }

  async get(key: StoreKey): Promise<StoreEntry | undefined> {
    checkKey(key);
    return (await this.#current()).objects.get(key);
  }

  async list(prefix: string, options: { readonly after?: StoreKey; readonly limit: number; readonly reverse?: boolean }): Promise<readonly StoreEntry[]> {
    const { after, limit, reverse = false } = options;
    checkPrefix(prefix);
    if (after !== undefined) checkKey(after);
    checkLimit(limit);
    return (await this.#current()).objects.list(prefix, after, limit, reverse);
  }

  async listBy(index: string, term: string, options: ListByOptions): Promise<readonly StoreEntry[]> {
    return (await this.#current()).objects.listBy(index, term, options);
  }

  async transact(checks: readonly StoreCheck[], changes: readonly StoreChange[]): Promise<StoreOutcome> {
    checkTransaction(checks, changes);
    const written = changes.map(writtenOf);
    const bytes = written.reduce((sum, { text = '' }) => sum + byteLength(text), 0);
    checkBytes(bytes);
    this.#assertOpen();
    return this.#commits.add({ checks: [...checks], changes: written, bytes });
  }

  async revision(): Promise<number> {
    return (await this.#current()).revision;
  }

  async *watch(prefix: string, from: number, signal: AbortSignal): AsyncGenerator<readonly StoreNotice[]> {
    checkPrefix(prefix);
    checkRevision(from);
    const replica = await this.#current();
    let next = from + 1;
    this.#watchers += 1;
    void this.#poll();
    try {
      while (!signal.aborted && !this.#closed) {
        const { oldest, newest } = replica.history;
        if (replica !== this.#replica || next < oldest || next > newest + 1) {
          throw new LokiError('gone', { attempted: `watch the store from revision ${from}`, found: `revision ${next} is not kept (${oldest} to ${newest} are)` });
        }
        const notices = replica.history.at(next);
        if (notices === undefined) {
          await this.#news(signal);
          if (signal.aborted || this.#closed) return;
          await this.#current();
          continue;
        }
        next += 1;
        const mine = notices.filter(({ key }) => key.startsWith(prefix));
        if (mine.length > 0) yield mine;
      }
    } finally {
      this.#watchers -= 1;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    await this.#commits.idle();
    await this.#compactNow();
    this.#writer.close();
    this.#replica?.close();
    this.#replica = undefined;
    this.#onClose();
  }

  /** All that any process had acknowledged before the call. What reading cannot make sense of is looked at under the lock. */
  async #current(): Promise<Replica> {
    this.#assertOpen();
    const seen = this.#read();
    if (seen !== undefined) return seen;
    await this.#commits.add(nothing);
    if (this.#replica === undefined) throw closedError();
    return this.#replica;
  }

  /** Reads on without the lock; undefined when that does not lead to a clean end. */
  #read(): Replica | undefined {
    if (this.#replica === undefined) {
      const loaded = loadReplica(this.#disk, this.#layout, this.#kept);
      if (loaded === 'empty' || !('objects' in loaded)) return undefined;
      this.#replica = loaded;
    }
    const before = this.#replica.revision;
    const clean = this.#replica.follow() === undefined && this.#replica.begun;
    if (clean) assertSchemaKnown(this.#replica.schema, this.#schema);
    if (this.#replica.revision !== before) this.#wake();
    return clean && this.#replica.schema === this.#schema ? this.#replica : undefined;
  }

  /** Under the lock. */
  #commit(wanted: readonly Wanted[]): readonly StoreOutcome[] {
    const replica = this.#settled();
    const plan = new Plan(replica);
    const outcomes = wanted.map((one) => plan.add(one));
    if (plan.transactions.length > 0) {
      this.#writer.commit(replica, plan.transactions);
      this.#writer.turnWhenLong(replica);
      this.#wake();
    }
    this.#writer.takeOver(replica);
    this.#compactSoon();
    return outcomes;
  }

  /** The snapshot is written a step at a time, each after the others have had their turn. */
  #compactSoon(): void {
    if (!this.#writer.compacting || this.#closed) return;
    this.#nextStep ??= this.#timers.after(stepEveryMs, () => {
      this.#nextStep = undefined;
      // Taken over under the lock; what goes wrong there is told to others when they need it.
      if (this.#writer.compact(this.#replica)) void this.#commits.add(nothing).catch(() => undefined);
      else this.#compactSoon();
    });
  }

  /** A snapshot that was begun is finished: a process that lives shortly may be the only kind that writes. */
  async #compactNow(): Promise<void> {
    this.#nextStep?.();
    while (this.#writer.compacting && !this.#writer.compact(this.#replica)) await this.#timers.yield();
    if (this.#writer.compacting) await this.#commits.add(nothing).catch(() => undefined);
  }

  #settled(): Replica {
    const given = this.#replica;
    this.#replica = undefined;
    const before = given?.revision;
    const replica = this.#writer.settle(given);
    this.#replica = replica;
    if (replica !== given || replica.revision !== before) this.#wake();
    return replica;
  }

  /** Resolves when there may be something new, or the wait is over. */
  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wakers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wakers.add(done);
      signal.addEventListener('abort', done);
    });
  }

  #wake(): void {
    for (const run of [...this.#wakers]) run();
  }

  /** Looks for other processes' changes while somebody watches. It sleeps, so whoever waits in a watch keeps the process alive. */
  async #poll(): Promise<void> {
    this.#quietRounds = 0;
    if (this.#polling) return;
    this.#polling = true;
    while (this.#watchers > 0 && !this.#closed) {
      const before = this.#replica?.revision;
      await this.#timers.sleep(this.#quietRounds < pollMs.quickRounds ? pollMs.quick : pollMs.slow);
      if (!this.#closed) this.#look();
      this.#quietRounds = this.#replica?.revision === before ? this.#quietRounds + 1 : 0;
    }
    this.#polling = false;
  }

  /** What cannot be read wakes the watchers too: they look again themselves, and tell their callers. */
  #look(): void {
    try {
      if (this.#replica === undefined || this.#read() === undefined) this.#wake();
    } catch {
      this.#wake();
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): LokiError {
  return new LokiError('interrupted', { attempted: 'use the store', found: 'it is closed' });
}

/** The value as text, now: what the caller does to it afterwards changes nothing. */
function writtenOf({ key, value }: StoreChange): WrittenChange {
  const text = value === undefined ? undefined : JSON.stringify(value);
  if (text !== undefined) checkDepth(key, text);
  return { key, text };
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
