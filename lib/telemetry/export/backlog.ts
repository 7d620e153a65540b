/**
 * What waits for one destination, in order: batches in memory and files on disk, by one name each, so that the oldest is the oldest wherever it lies. Both
 * are bounded; what goes beyond a bound is the oldest, and is counted. Sends nothing, and is never waited for.
 */
import { join } from '../../base/paths.ts';
import { quietly } from '../../base/quietly.ts';
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import type { Clock, Random } from '../../ports.ts';
import { signals, type Batch, type DropReason, type Signal } from '../batch.ts';
import type { Account } from './account.ts';
import { bodyInFile, halves, isBody, joinBodies, mostParsed } from './body.ts';
import { createSpoolNames, readSpoolName } from './spool-name.ts';
import type { Spool } from './spool.ts';

/** One batch that waits, or is being sent. */
export interface Waiting {
  readonly name: string;
  readonly signal: Signal;
  readonly items: number;
  /** As a file. */
  readonly bytes: number;
  /** While it is in memory. */
  body: string | undefined;
  isOnDisk: boolean;
  /** Not to be cut, and sent alone: half of one already, or a file of somebody's that nobody here parses. */
  readonly isWhole: boolean;
}

/** What is sent at once: the bodies of `waiting` as one. */
export interface Parcel {
  readonly waiting: readonly Waiting[];
  readonly items: number;
  /** Pieces of one text. */
  readonly body: readonly string[];
}

export interface BacklogOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly account: Account;
  readonly spool: Spool | undefined;
  /** Of each signal. */
  readonly memory: { readonly batches: number; readonly bytes: number };
  /** Files of others are left where they are, and go when they are the oldest. */
  readonly wanted: readonly Signal[];
}

/** One signal's. */
interface Line {
  /** Sorted by name. */
  waiting: Waiting[];
  readonly taken: Set<Waiting>;
  /** Of all that wait. */
  items: number;
  /** Of those that wait in memory. */
  batches: number;
  bytes: number;
}

/** Files that are joined into one request; with larger ones few. */
const mostJoined = 64;

const sumOf = (all: readonly Waiting[]): number => all.reduce((sum, { items }) => sum + items, 0);

export class Backlog {
  readonly #options: BacklogOptions;
  readonly #lines: ReadonlyMap<Signal, Line>;
  readonly #nextName: (nowMs: number, signal: Signal, items: number) => string;

  /** Takes up what an earlier process left on disk. */
  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#nextName = createSpoolNames(options.random);
    this.#lines = new Map(signals.map((signal) => [signal, { waiting: [], taken: new Set(), items: 0, batches: 0, bytes: 0 }]));
    this.#takeUpWithin(options.spool?.look() ?? []);
  }

  /** Puts a batch behind all others. */
  add({ signal, items, body }: Batch, toDisk: boolean): void {
    const name = this.#nextName(this.#options.clock.now(), signal, items);
    this.#insert({ name, signal, items, body, bytes: Buffer.byteLength(body) + 1, isOnDisk: false, isWhole: false });
    if (toDisk) this.toDisk(signal);
    this.#boundMemory(signal);
  }

  /** As `StandingDestination.adopt`. */
  adopt(folder: string, file: SpoolFile, read: (path: string) => string | undefined): boolean {
    const { spool } = this.#options;
    const known = readSpoolName(file.name);
    if (known === undefined) return false;
    const line = this.#line(known.signal);
    if (!this.#options.wanted.includes(known.signal) || this.#holds(line, file.name)) return true;
    if (spool !== undefined) {
      if (!spool.take(folder, file)) return false;
      this.#takeUp(file);
      this.#boundDisk(0);
      return true;
    }
    if (!this.#hasMemory(line, file.size)) return false;
    const text = quietly(() => read(join(folder, file.name)));
    const body = text === undefined ? undefined : bodyInFile(known.signal, text);
    if (body === undefined) this.#options.account.dropped(known.signal, 'damaged', known.items);
    else this.#insert({ name: file.name, signal: known.signal, items: known.items, body, bytes: file.size, isOnDisk: false, isWhole: file.size > mostParsed });
    return true;
  }

  /** The oldest of a signal, and those behind it while they fit within `mostBytes` together; undefined when nothing waits. */
  take(signal: Signal, mostBytes: number): Parcel | undefined {
    const line = this.#line(signal);
    const taken: Waiting[] = [];
    const bodies: string[] = [];
    let bytes = 0;
    for (let next = line.waiting[0]; next !== undefined && taken.length < mostJoined; next = line.waiting[0]) {
      // A message of another form, as in a file of somebody else's that is replayed, is sent as it is.
      const isAlone = next.isWhole || (next.body !== undefined && !isBody(signal, next.body));
      if (taken.length > 0 && (bytes + next.bytes > mostBytes || isAlone)) break;
      const body = next.body ?? this.#read(line, next);
      if (body === undefined && line.waiting[0] === next) break;
      if (body === undefined) continue;
      this.#remove(line, next);
      line.taken.add(next);
      taken.push(next);
      bodies.push(body);
      // A file may have grown since its size was looked at.
      bytes += Math.max(next.bytes, body.length);
      if (isAlone) break;
    }
    return taken.length === 0 ? undefined : { waiting: taken, items: sumOf(taken), body: joinBodies(signal, bodies) };
  }

  /** They were delivered, or are counted as dropped: they are gone. */
  done(waiting: readonly Waiting[]): void {
    for (const each of waiting) {
      this.#line(each.signal).taken.delete(each);
      if (each.isOnDisk) this.#options.spool?.remove(each.name);
    }
  }

  /** Dropped, and counted. */
  drop(waiting: readonly Waiting[], reason: DropReason): void {
    this.done(waiting);
    for (const { signal, items } of waiting) this.#options.account.dropped(signal, reason, items);
  }

  /** They could not be sent: back to where they were. */
  giveBack(waiting: readonly Waiting[], toDisk: boolean): void {
    for (const each of waiting) {
      this.#line(each.signal).taken.delete(each);
      this.#insert(each);
    }
    const [first] = waiting;
    if (first === undefined) return;
    if (toDisk) this.toDisk(first.signal);
    this.#boundMemory(first.signal);
  }

  /** In place of one that is too large two, behind all others. False when it cannot be cut. */
  cut(one: Waiting, body: string, toDisk: boolean): boolean {
    const parts = one.isWhole ? undefined : halves(one.signal, body);
    if (parts === undefined) return false;
    for (const { items, body: half } of parts) {
      const name = this.#nextName(this.#options.clock.now(), one.signal, items);
      this.#insert({ name, signal: one.signal, items, body: half, bytes: Buffer.byteLength(half) + 1, isOnDisk: false, isWhole: true });
    }
    if (toDisk || one.isOnDisk) this.toDisk(one.signal);
    this.done([one]);
    return true;
  }

  /** What waits in memory goes to disk, the oldest first, as far as the disk takes it. */
  toDisk(signal: Signal): void {
    const line = this.#line(signal);
    if (this.#options.spool === undefined || line.batches === 0) return;
    const inMemory: Waiting[] = [];
    // From the end, where they mostly are: before them there may be thousands on disk.
    for (let at = line.waiting.length - 1; inMemory.length < line.batches && at >= 0; at -= 1) {
      const each = line.waiting[at];
      if (each?.isOnDisk === false) inMemory.push(each);
    }
    for (const each of inMemory.toReversed()) if (!this.#toDisk(line, each)) return;
  }

  /** At the end: all that is in memory, also what is being sent, is on disk afterwards, or counted. */
  close(): void {
    for (const [signal, line] of this.#lines) {
      for (const each of line.taken) if (!each.isOnDisk && each.body !== undefined) this.#insert(each);
      line.taken.clear();
      this.toDisk(signal);
      for (const each of line.waiting.filter(({ isOnDisk }) => !isOnDisk)) {
        this.#remove(line, each);
        this.#options.account.dropped(signal, this.#options.spool === undefined ? 'shutdown' : 'disk', each.items);
      }
    }
  }

  /** A name behind all that is here now. */
  mark(): string {
    return this.#nextName(this.#options.clock.now(), 'traces', 0);
  }

  /** Whether anything up to `mark` waits or is being sent; `inMemory`: whether any of it is not on disk. */
  hasUpTo(mark: string, inMemory: boolean): boolean {
    const counts = ({ name, isOnDisk }: Waiting): boolean => name <= mark && !(inMemory && isOnDisk);
    return this.#options.wanted.map((signal) => this.#line(signal)).some(({ waiting, taken }) => (inMemory ? waiting.some(counts) : waiting[0] !== undefined && counts(waiting[0])) || [...taken].some(counts));
  }

  /** Whether anything of a signal waits. */
  has(signal: Signal): boolean {
    return this.#line(signal).waiting.length > 0;
  }

  /** Whether anything of a signal is on disk. */
  isOnDisk(signal: Signal): boolean {
    const { waiting, taken, batches } = this.#line(signal);
    return waiting.length > batches || [...taken].some(({ isOnDisk }) => isOnDisk);
  }

  /** What waits, what is being sent included. */
  stand(): { readonly items: number; readonly batches: number; readonly batchBytes: number; readonly oldest: number | null } {
    const sum = { items: 0, batches: 0, batchBytes: 0 };
    let oldest = '';
    for (const { waiting, taken, items, batches, bytes } of this.#lines.values()) {
      const sent = [...taken];
      const inMemory = sent.filter(({ isOnDisk }) => !isOnDisk);
      sum.items += items + sumOf(sent);
      sum.batches += batches + inMemory.length;
      sum.batchBytes += bytes + inMemory.reduce((so, one) => so + one.bytes, 0);
      for (const { name } of [...waiting.slice(0, 1), ...sent]) if (oldest === '' || name < oldest) oldest = name;
    }
    return { ...sum, oldest: readSpoolName(oldest)?.madeMs ?? null };
  }

  #line(signal: Signal): Line {
    const line = this.#lines.get(signal);
    if (line === undefined) throw new Error(`no line for ${signal}`);
    return line;
  }

  /** Where it belongs by its name: mostly last. */
  #insert(one: Waiting): void {
    const line = this.#line(one.signal);
    const { waiting } = line;
    let [low, high] = [0, waiting.length];
    if (high > 0 && (waiting[high - 1]?.name ?? '') < one.name) low = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((waiting[middle]?.name ?? '') < one.name) low = middle + 1;
      else high = middle;
    }
    waiting.splice(low, 0, one);
    line.items += one.items;
    if (one.isOnDisk) return;
    line.batches += 1;
    line.bytes += one.bytes;
  }

  #remove(line: Line, one: Waiting): void {
    const at = line.waiting[0] === one ? 0 : line.waiting.indexOf(one);
    if (at < 0) return;
    if (at === 0) line.waiting.shift();
    else line.waiting.splice(at, 1);
    line.items -= one.items;
    if (one.isOnDisk) return;
    line.batches -= 1;
    line.bytes -= one.bytes;
  }

  /** As many of the newest as there may be. The others go before they stand in a line, out of which a hundred thousand would be taken one by one. */
  #takeUpWithin(files: readonly SpoolFile[]): void {
    const { spool, account } = this.#options;
    for (const file of files) {
      const known = readSpoolName(file.name);
      if (known === undefined) continue;
      if (spool?.hasRoom(0) !== false) this.#takeUp(file);
      else {
        spool.remove(file.name);
        account.dropped(known.signal, 'spool_full', known.items);
      }
    }
  }

  #takeUp({ name, size }: SpoolFile): void {
    const known = readSpoolName(name);
    if (known === undefined) return;
    this.#insert({ name, signal: known.signal, items: known.items, bytes: size, body: undefined, isOnDisk: true, isWhole: size > mostParsed });
  }

  #holds(line: Line, name: string): boolean {
    const { spool } = this.#options;
    return spool === undefined ? [...line.waiting, ...line.taken].some((each) => each.name === name) : spool.has(name);
  }

  #hasMemory({ batches, bytes }: Line, more: number): boolean {
    const { memory } = this.#options;
    return batches < memory.batches && bytes + more <= memory.bytes;
  }

  /** False when it stays in memory. */
  #toDisk(line: Line, one: Waiting): boolean {
    const { spool, account } = this.#options;
    if (spool === undefined || spool.isResting || one.body === undefined) return false;
    if (!spool.mayHold(one.bytes)) {
      this.#remove(line, one);
      account.dropped(one.signal, 'spool_full', one.items);
      return true;
    }
    if (!this.#boundDisk(one.bytes) || !spool.write(one.name, one.body)) return false;
    line.batches -= 1;
    line.bytes -= one.bytes;
    one.isOnDisk = true;
    one.body = undefined;
    return true;
  }

  /** What is more than memory may hold goes to disk, and where there is none, or it does not take it, the oldest goes for good. */
  #boundMemory(signal: Signal): void {
    const line = this.#line(signal);
    const { memory, spool, account } = this.#options;
    // The only one stays, however large.
    const isWithin = (): boolean => line.batches <= 1 || (line.batches <= memory.batches && line.bytes <= memory.bytes);
    if (isWithin()) return;
    this.toDisk(signal);
    while (!isWithin()) {
      const oldest = line.waiting.find(({ isOnDisk }) => !isOnDisk);
      if (oldest === undefined) return;
      this.#remove(line, oldest);
      account.dropped(signal, spool === undefined ? 'queue_full' : 'disk', oldest.items);
    }
  }

  /** Makes room for so many bytes on disk; false when what is being sent takes it all. */
  #boundDisk(more: number): boolean {
    const { spool } = this.#options;
    if (spool === undefined) return false;
    while (!spool.hasRoom(more)) {
      const oldest = this.#oldestFile();
      if (oldest === undefined) return false;
      this.#remove(this.#line(oldest.signal), oldest);
      this.drop([oldest], 'spool_full');
    }
    return true;
  }

  #oldestFile(): Waiting | undefined {
    const firsts = [...this.#lines.values()].flatMap(({ waiting }) => waiting.find(({ isOnDisk }) => isOnDisk) ?? []);
    return firsts.reduce<Waiting | undefined>((oldest, each) => (oldest === undefined || each.name < oldest.name ? each : oldest), undefined);
  }

  /** The body of a file. Undefined: the file is out of the line, or the disk cannot be read now (then it is still there). */
  #read(line: Line, one: Waiting): string | undefined {
    const { spool } = this.#options;
    const body = spool?.read(one.name, one.signal);
    if (body !== undefined || spool === undefined) return body;
    const found = spool.look();
    if (found === undefined) return undefined;
    const names = this.#agreeWith(found);
    if (!names.has(one.name)) return undefined;
    this.#remove(line, one);
    this.drop([one], 'damaged');
    return undefined;
  }

  /** What is gone, another process has sent; what is new, it has left. Names that are there. */
  #agreeWith(found: readonly SpoolFile[]): ReadonlySet<string> {
    const names = new Set(found.map(({ name }) => name));
    const known = new Set<string>();
    for (const line of this.#lines.values()) {
      // All at once: thousands may be gone.
      const left = line.waiting.filter(({ isOnDisk, name }) => !isOnDisk || names.has(name));
      line.items -= sumOf(line.waiting) - sumOf(left);
      line.waiting = left;
      for (const { name } of [...line.waiting, ...line.taken]) known.add(name);
    }
    this.#takeUpWithin(found.filter(({ name }) => !known.has(name)));
    return names;
  }
}
