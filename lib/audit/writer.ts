/**
 * The writer of one process: builds each batch under the lock from where the chain stands on disk at that moment. Trusts
 * nothing it remembers: before each batch it looks whether others appended, or replaced or removed the file, and on first
 * use whether the checkpoints know of entries that are gone.
 */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { openSegment, takeBack, type Segment, type TornTail } from '../journal/segment.ts';
import { emptyTail, longestLine, sealLine, type ChainTail } from './chain.ts';
import { composeEntry, type EntryStamp } from './compose.ts';
import type { AuditEvent, AuditReceipt } from './entry.ts';
import { durabilityOf, type EventName } from './events.ts';
import { compareFiles, dayOf, logFileName, plainName, type LogFileName } from './files.ts';
import { moveLegacyFiles, type LegacyFile } from './legacy.ts';
import type { AuditLogOptions } from './log-options.ts';
import type { Losses } from './losses.ts';
import { NewestFile } from './newest.ts';
import { isFull, Reserve } from './reserve.ts';
import { findTail, tailWindow } from './tail.ts';

interface OpenFile {
  readonly name: LogFileName;
  readonly segment: Segment;
}

/** What a batch has become: the chain after it, and its text. */
interface Batch {
  readonly text: string;
  readonly tail: ChainTail;
  readonly receipts: readonly AuditReceipt[];
  /** Events of best effort that cannot become a line. */
  readonly dropped: readonly EventName[];
}

/** Why a file was begun, and the one before it. */
export interface PageTurn {
  readonly finished: string | null;
  readonly reason: string;
}

const notRecorded: AuditReceipt = { seq: null, chain_hash: null };

/** Pruning makes room, and takes sealed files only, each of which the log must vouch for. */
const makesRoom: ReadonlySet<EventName> = new Set(['audit.prune', 'audit.rotate']);

/** The chain's state and the file it is in. Used under the lock only. */
export class ChainWriter {
  readonly #options: AuditLogOptions;
  readonly #losses: Losses;
  readonly #newest: NewestFile;
  readonly #reserve: Reserve;
  readonly #chained: boolean;
  #file: OpenFile | undefined;
  /** In place of `#file`: the newest file when somebody compressed it. It is never written again. */
  #compressed: LogFileName | undefined;
  #tail: ChainTail = emptyTail;
  /** Whether the entries of the file at hand carry hashes. */
  #isFileChained = true;
  /** The furthest this process has seen the chain on disk: where a file was taken away, it goes on from here. */
  #seen: ChainTail = emptyTail;
  #isResumed = false;
  /** Whether this process has told what others lost and could not tell. */
  #isOthersTold = false;
  /** What the next batch must say: tails set aside, a file that went away, damage in the newest file, files of another format. */
  #pending: AuditEvent[] = [];
  /** Where a failed batch may have left lines that could not be set aside. */
  #unsettled: { readonly name: LogFileName; readonly size: number; readonly trouble?: unknown } | undefined;
  #lost: JsonObject | undefined;
  #damage: JsonObject | undefined;
  #legacy: readonly LegacyFile[] = [];
  /** What the next opening says besides. */
  #note: JsonObject = {};
  /** A file that the newest batch began, for who wants to hear of it. */
  #turned: PageTurn | undefined;

  constructor(options: AuditLogOptions, losses: Losses) {
    this.#options = options;
    this.#losses = losses;
    this.#newest = new NewestFile(options);
    this.#reserve = new Reserve(options);
    this.#chained = options.integrity ?? true;
  }

  commit(events: readonly AuditEvent[]): readonly AuditReceipt[] {
    try {
      // Since then others may have built on it.
      this.#unsettled = undefined;
      this.#assertRoom(events);
      this.#catchUp();
      return this.#write(this.#turnPage(), events);
    } catch (error) {
      // What is on disk is no longer certain: look again before the next batch, on a new descriptor.
      this.close();
      const full = [error, this.#unsettled?.trouble].find(isFull);
      if (full !== undefined) this.#sayFull(full, events.length);
      throw error;
    }
  }

  /** Where the chain stands after the newest batch, and the file that it began. Told once. */
  takeNews(): { readonly seq: number; readonly turned: PageTurn | undefined } {
    const turned = this.#turned;
    this.#turned = undefined;
    return { seq: this.#tail.seq, turned };
  }

  close(): void {
    this.#file?.segment.close();
    this.#file = undefined;
  }

  /** While the reserve is spent, only what makes room may be recorded. */
  #assertRoom(events: readonly AuditEvent[]): void {
    if (events.every(({ event }) => makesRoom.has(event)) && this.#reserve.isSpent()) return;
    const refused = this.#reserve.ensure();
    if (refused !== undefined) this.#pending.push({ event: 'audit.recovery', actor: 'system', details: { reason: 'space', refused } });
  }

  /** Gives the reserve up so that the log can say why it goes no further. The batch is refused all the same. */
  #sayFull(error: unknown, refused: number): void {
    try {
      if (this.#reserve.spend()) {
        // Setting lines aside takes room too.
        this.#settle();
        this.#writeFull(error);
      }
      if (this.#reserve.isSpent()) this.#reserve.countRefused(refused);
    } catch {
      // Not even that could be written: what is pending is told when there is room again.
      this.close();
    }
  }

  #writeFull(error: unknown): void {
    const { disk, directory } = this.#options;
    const free = disk.freeBytes(directory);
    this.#pending.push({
      event: 'audit.disk_full', actor: 'system', ...(this.#file === undefined ? {} : { resource: `file:${this.#file.name.name}` }),
      details: { error: error instanceof Error ? error.message : String(error), ...(free === undefined ? {} : { free }) },
    });
    this.#catchUp();
    this.#write(this.#turnPage(), []);
  }

  /** Brings the state up to what stands on disk: the newest file that holds something is open, unless there is none. */
  #catchUp(): void {
    this.#damage = undefined;
    while (!this.#readNewest());
    if (!this.#isResumed) this.#resume();
    if (this.#tail.seq < this.#seen.seq) {
      const file = this.#file?.name ?? this.#compressed;
      this.#lost ??= { reason: 'replaced', lost_file: file === undefined ? null : plainName(file.name), found: file === undefined ? 'missing' : 'shorter' };
      this.#tail = this.#seen;
    }
    this.#seen = this.#tail;
  }

  /** Once for each process: what the checkpoints cover, and the files do not hold any more, was written and taken away. */
  #resume(): void {
    const point = this.#options.resume?.();
    this.#isResumed = true;
    if (point === 'unreadable') this.#note = { checkpoint_state: 'unreadable' };
    else if (point !== undefined && point.seq > this.#tail.seq) this.#seen = point;
  }

  /** False when the file at hand turned out not to be the one: look again. */
  #readNewest(): boolean {
    if (this.#file === undefined) this.#legacy = [...this.#legacy, ...moveLegacyFiles(this.#options)];
    const newest = this.#newest.look();
    this.#compressed = undefined;
    if (newest?.compressed === true && (this.#file === undefined || compareFiles(newest, this.#file.name) > 0)) return this.#followCompressed(newest);
    // Another process may have begun a new file for reasons this one does not see: another clock, another limit, damage.
    if (newest !== undefined && (this.#file === undefined || compareFiles(newest, this.#file.name) > 0)) {
      const { directory } = this.#options;
      if (this.#file?.segment.isAt(join(directory, newest.name)) === true) this.#lost ??= { reason: 'replaced', lost_file: this.#file.name.name, found: 'missing', renamed_to: newest.name };
      this.#open(newest);
    }
    if (this.#file === undefined) {
      this.#tail = emptyTail;
      return true;
    }
    const { segment, name } = this.#file;
    const from = segment.size();
    const refresh = segment.refresh();
    if (refresh.kind === 'same') return true;
    if (refresh.kind === 'replaced') {
      this.#lost ??= { reason: 'replaced', lost_file: name.name, found: refresh.found };
      this.close();
      return false;
    }
    if (refresh.torn !== undefined) this.#pending.push(recoveryOf(refresh.torn));
    return this.#adopt(from);
  }

  /** The chain goes on from the end of a file that somebody compressed, in another file. */
  #followCompressed(newest: LogFileName): boolean {
    this.close();
    this.#compressed = newest;
    const tail = this.#newest.tailOf(newest);
    if (tail === undefined) this.#damage = { reason: 'damaged', damaged_file: newest.name, damaged_offset: 0 };
    // What this process had open is gone, and all of it is here.
    else if (tail.seq >= this.#seen.seq && this.#lost?.['lost_file'] === plainName(newest.name)) this.#lost = undefined;
    this.#tail = tail ?? this.#newest.tailBefore(newest);
    return true;
  }

  #adopt(from: number): boolean {
    const { segment, name } = this.#require();
    if (segment.size() === 0) {
      this.close();
      return false;
    }
    const found = findTail(segment, segment.size(), from, from === 0 ? undefined : this.#tail);
    if (found.kind === 'zeros') {
      this.#pending.push(recoveryOf(segment.setAside(found.offset)));
      return this.#adopt(0);
    }
    if (found.kind === 'damaged') this.#damage = { reason: 'damaged', damaged_file: name.name, damaged_offset: found.offset };
    this.#tail = found.kind === 'empty' ? emptyTail : found.tail ?? this.#newest.tailBefore(name);
    this.#isFileChained = found.kind !== 'good' || found.chained;
    return true;
  }

  /** Opens the next file when there is a reason to; gives what its `audit.open` says. */
  #turnPage(): JsonObject | undefined {
    const current = this.#file?.name ?? this.#compressed;
    const today = dayOf(Math.max(this.#options.clock.now(), this.#tail.time));
    const why = this.#whyTurn(today);
    if (why === undefined) return undefined;
    // What others wrote before they died was read, but may not be on the medium; the next file builds on it.
    this.#file?.segment.sync();
    const name = current === undefined || today > current.day ? logFileName(today, 0) : nextPart(current);
    const { disk, base, directory, directoryMode } = this.#options;
    disk.ensureDirectory(base, directory, directoryMode);
    const { segment } = this.#open(name);
    if (segment.refresh().kind !== 'same') throw new LokiError('io.failed', { attempted: `begin log file "${name.name}"`, found: 'it holds something already' });
    const integrity = this.#chained ? {} : { integrity: 'off' };
    const open = { previous_file: current === undefined ? null : plainName(current.name), ...why, ...this.#note, ...integrity };
    this.#turned = { finished: open.previous_file, reason: String(why['reason']) };
    this.#isFileChained = this.#chained;
    return open;
  }

  #whyTurn(today: string): JsonObject | undefined {
    const legacy = this.#legacy.map((file) => ({ name: file.name, sha256: file.sha256, bytes: file.bytes }));
    const moved = legacy.length === 0 ? {} : { legacy_files: legacy };
    if (this.#lost !== undefined) return { ...this.#lost, ...moved };
    if (this.#damage !== undefined) return { ...this.#damage, ...moved };
    if (this.#compressed !== undefined) return { reason: 'compressed', ...moved };
    if (this.#file === undefined) return { reason: 'first', ...moved };
    if (this.#isFileChained !== this.#chained) return { reason: 'integrity', integrity: this.#chained ? 'on' : 'off', ...moved };
    if (legacy.length > 0) return { reason: 'legacy', ...moved };
    if (today > this.#file.name.day) return { reason: 'day' };
    return this.#file.segment.size() >= this.#options.maxFileBytes ? { reason: 'size' } : undefined;
  }

  #open(name: LogFileName): OpenFile {
    this.close();
    this.#file = { name, segment: this.#segment(name) };
    return this.#file;
  }

  #segment(name: LogFileName): Segment {
    const { disk, base, directory, fileMode, tornDirectory } = this.#options;
    return openSegment({ disk, base, path: join(directory, name.name), mode: fileMode, tornDirectory, longestLine: tailWindow });
  }

  #write(open: JsonObject | undefined, events: readonly AuditEvent[]): readonly AuditReceipt[] {
    const gap = this.#losses.tell(this.#isOthersTold ? [] : this.#options.unheard?.take());
    const first = [...(open === undefined ? [] : [this.#openEvent(open)]), ...this.#pending, ...(gap === undefined ? [] : [gap])];
    let written = false;
    try {
      const { text, tail, receipts, dropped } = this.#compose([...first, ...events]);
      this.#append(Buffer.from(text, 'utf8'));
      written = true;
      for (const event of dropped) this.#losses.count(event, 'cannot be written', tail.time);
      this.#tail = tail;
      this.#seen = tail;
      [this.#pending, this.#lost, this.#legacy, this.#note] = [[], undefined, [], {}];
      if (!this.#isOthersTold) this.#options.unheard?.told();
      this.#isOthersTold = true;
      return receipts.slice(first.length);
    } finally {
      this.#losses.settle(written);
    }
  }

  #compose(events: readonly AuditEvent[]): Batch {
    const now = this.#options.clock.now();
    let tail = this.#tail;
    let text = '';
    const receipts: AuditReceipt[] = [];
    const dropped: EventName[] = [];
    for (const event of events) {
      const stamp: EntryStamp = { seq: tail.seq + 1, time: Math.max(now, tail.time), behindMs: Math.max(0, tail.time - now) };
      const json = this.#json(event, stamp);
      if (json === undefined) {
        dropped.push(event.event);
        receipts.push(notRecorded);
        continue;
      }
      const sealed = this.#chained ? sealLine(tail.hash, json) : { line: `${json}\n`, hash: tail.hash };
      text += sealed.line;
      tail = { seq: stamp.seq, hash: sealed.hash, time: stamp.time };
      receipts.push({ seq: stamp.seq, chain_hash: this.#chained ? sealed.hash : null });
    }
    return { text, tail, receipts, dropped };
  }

  /** Undefined for an event of best effort that cannot become a line: it takes nobody with it. */
  #json(event: AuditEvent, stamp: EntryStamp): string | undefined {
    const isNeeded = this.#options.everyEventDurable === true || durabilityOf(event.event) !== 'info';
    if (isNeeded) return composeEntry(event, stamp, this.#options, longestLine);
    try {
      return composeEntry(event, stamp, this.#options, longestLine);
    } catch {
      return undefined;
    }
  }

  /**
   * A failed append leaves whole lines in the file when only its sync failed. Their callers are told that nothing was
   * recorded, and nothing may be built on bytes that may never reach the medium: they are set aside on a new descriptor.
   */
  #append(lines: Buffer): void {
    if (lines.length === 0) return;
    const { name, segment } = this.#require();
    const size = segment.size();
    try {
      segment.append(lines);
    } catch (error) {
      this.close();
      this.#unsettled = { name, size };
      this.#settle();
      throw error;
    }
  }

  #settle(): void {
    if (this.#unsettled === undefined) return;
    const { name, size } = this.#unsettled;
    const { torn, trouble } = takeBack(() => this.#segment(name), size);
    this.#pending.push(...torn.map(recoveryOf));
    this.#unsettled = trouble === undefined ? undefined : { name, size, trouble };
  }

  #openEvent(open: JsonObject): AuditEvent {
    const details: JsonObject = { ...open, previous_hash: this.#tail.hash, first_seq: this.#tail.seq + 1 };
    return { event: 'audit.open', actor: 'system', resource: `file:${this.#require().name.name}`, details };
  }

  #require(): OpenFile {
    if (this.#file === undefined) throw new LokiError('internal', { attempted: 'write the audit log', found: 'no file is open' });
    return this.#file;
  }
}

function nextPart(name: LogFileName): LogFileName {
  return logFileName(name.day, name.part + 1);
}

function recoveryOf(torn: TornTail): AuditEvent {
  return {
    event: 'audit.recovery', actor: 'system', resource: `file:${torn.file}`,
    details: { file: torn.file, offset: torn.offset, length: torn.length, sha256: torn.sha256, kept_as: torn.keptAs },
  };
}
