/**
 * The writer of the log of record. Many processes append to one chain; each batch is built under the lock from where the
 * chain stands on disk at that moment, is written with one write and one sync, and only then do its callers hear of it.
 * Trusts nothing it remembers: before each batch it looks whether others appended, or replaced or removed the file. What
 * cannot be recorded is refused with `audit.unwritable`, and the caller must not act.
 */
import type { Clock, Disk, Lock, Random, Timers } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import { join } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import { createGroupCommit, type GroupCommit } from '../journal/group-commit.ts';
import { openSegment, type Segment, type TornTail } from '../journal/segment.ts';
import { emptyTail, genesisHash, sealLine, type ChainTail } from './chain.ts';
import { composeEntry, type EntryStamp } from './compose.ts';
import type { AuditEvent, AuditReceipt } from './entry.ts';
import { canBeExcluded, levels, usualLevel, type EventName, type Level } from './events.ts';
import { compareFiles, dayOf, logFileName, logFiles, type LogFileName } from './files.ts';
import { moveLegacyFiles, type LegacyFile } from './legacy.ts';
import { findTail, tailWindow } from './tail.ts';

/** Where the log lives and what it leaves out. */
export interface AuditLogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** The lock of this log: the same for every process that writes it. */
  readonly lock: Lock;
  /** Real directory below which no record file may be reached through a symlink. */
  readonly base: string;
  /** Holds the log's files and nothing else. */
  readonly directory: string;
  readonly blobDirectory: string;
  readonly tornDirectory: string;
  readonly legacyDirectory: string;
  /** Members of every entry's `metadata`: hostname, pid, version, and what the configuration includes. */
  readonly metadata: JsonObject;
  readonly level: Level;
  readonly exclude: ReadonlySet<string>;
  /** A day's file that has reached this many bytes is followed by another one. */
  readonly maxFileBytes: number;
  /** 0o600 and 0o700, or 0o640 and 0o750 for a log shipper's group. */
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly lockTimeoutMs: number;
  /** Makes what must be there besides the log's own directory. Called before the first entry, and before the next after a failure. */
  readonly prepare?: () => void;
}

export interface AuditLog {
  /** Resolves when the entry is on the medium. */
  append(event: AuditEvent): Promise<AuditReceipt>;
  close(): Promise<void>;
}

/** An entry's line is shorter than 64 KiB, so that it fits a tile of a transparency log (C2SP tlog-tiles). */
const longestLine = 65_536;
/** With the longest entry on top, a batch stays below what `findTail` checks. */
const batchBytes = tailWindow - 2 * longestLine;

interface OpenFile {
  readonly name: LogFileName;
  readonly segment: Segment;
}

/** Nothing is touched on disk until the first `append`. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const writer = new ChainWriter(options);
  const commits: GroupCommit<AuditEvent, AuditReceipt> = createGroupCommit<AuditEvent, AuditReceipt>({
    lock: options.lock, clock: options.clock, timers: options.timers, lockTimeoutMs: options.lockTimeoutMs,
    batchItems: 512, batchBytes, weigh: (event) => weightOf(event), commit: (events) => writer.commit(events),
  });
  const wanted = (event: AuditEvent): boolean => {
    if (!canBeExcluded(event.event)) return true;
    if (options.exclude.has(event.event)) return false;
    return levels.indexOf(event.level ?? usualLevel(event.event)) >= levels.indexOf(options.level);
  };
  let prepared = false;
  return {
    async append(event) {
      if (!wanted(event)) return { seq: null, chain_hash: null };
      try {
        if (!prepared) {
          options.prepare?.();
          options.disk.ensureDirectory(options.base, options.directory, options.directoryMode);
          prepared = true;
        }
        return await commits.add(event);
      } catch (error) {
        // Whatever was there may be gone.
        prepared = false;
        throw unwritable(event.event, error);
      }
    },
    async close() {
      await commits.idle();
      writer.close();
    },
  };
}

/** A rough size is enough: it only bounds a batch. */
function weightOf(event: AuditEvent): number {
  return event.details === undefined ? 400 : Math.min(longestLine, 400 + JSON.stringify(event.details).length);
}

function unwritable(event: EventName, cause: unknown): LokiError {
  const hint = cause instanceof LokiError ? cause.hint : undefined;
  return new LokiError('audit.unwritable', { attempted: `record ${event}`, found: messageOf(cause), cause, ...(hint === undefined ? {} : { hint }) });
}

/** The chain's state and the file it is in. Used under the lock only. */
class ChainWriter {
  readonly #options: AuditLogOptions;
  #file: OpenFile | undefined;
  #tail: ChainTail = emptyTail;
  /** Whether the open file has its `audit.open` entry. */
  #opened = false;
  /** What happened since the last batch and must be recorded with the next one. */
  #pending: AuditEvent[] = [];
  #openDetails: JsonObject = {};

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  commit(events: readonly AuditEvent[]): readonly AuditReceipt[] {
    try {
      this.#catchUp();
      this.#turnPage();
      return this.#write(events);
    } catch (error) {
      // What is on disk is no longer certain: look again before the next batch, on a new descriptor.
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#file?.segment.close();
    this.#file = undefined;
  }

  /** Brings the state up to what stands on disk. */
  #catchUp(): void {
    if (this.#file === undefined) this.#openNewest();
    const { segment } = this.#require();
    const from = segment.size();
    const refresh = segment.refresh();
    if (refresh.kind === 'replaced') return this.#startOver(refresh.found);
    if (refresh.kind === 'grown') {
      if (refresh.torn !== undefined) this.#pending.push(recoveryOf(refresh.torn));
      this.#adopt(from);
    }
    const unchanged = this.#require().segment === segment;
    if (!this.#opened && unchanged) this.#inherit();
  }

  /** A file without entries goes on where the newest one that has some ends. */
  #inherit(): void {
    const { name } = this.#require();
    const before = this.#present().filter((file) => compareFiles(file, name) < 0).reverse();
    for (const file of before) {
      const tail = this.#tailOf(file);
      if (tail === undefined) continue;
      this.#tail = tail;
      this.#openDetails = { reason: file.day === name.day ? 'size' : 'day', previous_file: file.name };
      return;
    }
    this.#tail = emptyTail;
  }

  #present(): readonly LogFileName[] {
    return logFiles(this.#options.disk.list(this.#options.directory)).filter((file) => !file.compressed);
  }

  #adopt(from: number): void {
    const { segment, name } = this.#require();
    const found = findTail(segment, segment.size(), from, from === 0 ? undefined : this.#tail);
    if (found.kind === 'empty') return;
    if (found.kind === 'zeros') {
      this.#pending.push(recoveryOf(segment.setAside(found.offset)));
      if (segment.size() > 0) this.#adopt(0);
      return;
    }
    this.#tail = found.tail;
    this.#opened = true;
    if (found.kind === 'damaged') this.#startFile(nextPart(name), { reason: 'damaged', damaged_file: name.name, damaged_offset: found.offset });
  }

  /** The file went away or became another one: evidence is not overwritten, the chain goes on in what is newest now. */
  #startOver(found: string): void {
    const lost = this.#require().name;
    const before = this.#tail;
    const { disk, base, directory, directoryMode } = this.#options;
    this.close();
    disk.ensureDirectory(base, directory, directoryMode);
    this.#openNewest();
    const { name } = this.#require();
    const refresh = this.#require().segment.refresh();
    if (refresh.kind === 'grown') this.#adopt(0);
    if (this.#tail.seq < before.seq) this.#tail = before;
    this.#startFile(name.name === lost.name && !this.#opened ? name : nextPart(name), { reason: 'replaced', lost_file: lost.name, found });
  }

  /** Opens the newest file, or the first one. */
  #openNewest(): void {
    const legacy = moveLegacyFiles(this.#options);
    this.#opened = false;
    this.#openDetails = firstOpen(legacy);
    this.#open(this.#present().at(-1) ?? logFileName(dayOf(this.#options.clock.now()), 0));
  }

  /** Where a file ends; undefined when it holds no entry. */
  #tailOf(name: LogFileName): ChainTail | undefined {
    const segment = this.#segment(name);
    try {
      segment.refresh();
      const found = findTail(segment, segment.size(), 0, undefined);
      return found.kind === 'good' || found.kind === 'damaged' ? found.tail : undefined;
    } finally {
      segment.close();
    }
  }

  /** A new day, or a full file: the next one is opened, unless another process did so already. */
  #turnPage(): void {
    const { name, segment } = this.#require();
    const today = dayOf(Math.max(this.#options.clock.now(), this.#tail.time));
    const full = segment.size() >= this.#options.maxFileBytes;
    if (today === name.day && !full) return;
    if (!this.#opened) {
      if (today !== name.day) this.#startFile(logFileName(today, 0), this.#openDetails);
      return;
    }
    const newest = this.#present().at(-1);
    if (newest !== undefined && compareFiles(newest, name) > 0) {
      this.#open(newest);
      this.#opened = false;
      this.#openDetails = { reason: 'day', previous_file: name.name };
      this.#catchUp();
      return this.#turnPage();
    }
    if (today !== name.day) this.#startFile(logFileName(today, 0), { reason: 'day' });
    else this.#startFile(nextPart(name), { reason: 'size' });
  }

  #startFile(name: LogFileName, details: JsonObject): void {
    const previous = this.#file?.name;
    this.#open(name);
    this.#opened = false;
    this.#openDetails = { ...(previous === undefined || previous.name === name.name ? {} : { previous_file: previous.name }), ...details };
  }

  #open(name: LogFileName): void {
    this.#file?.segment.close();
    this.#file = undefined;
    this.#file = { name, segment: this.#segment(name) };
  }

  #segment(name: LogFileName): Segment {
    const { disk, base, directory, fileMode, tornDirectory } = this.#options;
    return openSegment({ disk, base, path: join(directory, name.name), mode: fileMode, tornDirectory, longestLine: longestLine * 2 });
  }

  #write(events: readonly AuditEvent[]): readonly AuditReceipt[] {
    const now = this.#options.clock.now();
    const before = this.#tail;
    const first = [...(this.#opened ? [] : [this.#openEvent()]), ...this.#pending];
    let text = '';
    const receipts: AuditReceipt[] = [];
    for (const event of [...first, ...events]) {
      const stamp: EntryStamp = { seq: this.#tail.seq + 1, time: Math.max(now, this.#tail.time), behindMs: Math.max(0, this.#tail.time - now) };
      const sealed = sealLine(this.#tail.hash, composeEntry(event, stamp, this.#options, longestLine));
      text += sealed.line;
      this.#tail = { seq: stamp.seq, hash: sealed.hash, time: stamp.time };
      receipts.push({ seq: stamp.seq, chain_hash: sealed.hash });
    }
    try {
      this.#require().segment.append(Buffer.from(text, 'utf8'));
    } catch (error) {
      this.#tail = before;
      throw error;
    }
    this.#opened = true;
    this.#pending = [];
    return receipts.slice(first.length);
  }

  #openEvent(): AuditEvent {
    const details: JsonObject = { previous_file: null, ...this.#openDetails, previous_hash: this.#tail.hash, first_seq: this.#tail.seq + 1 };
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

function firstOpen(legacy: readonly LegacyFile[]): JsonObject {
  if (legacy.length === 0) return { reason: 'first' };
  return { reason: 'first', legacy_files: legacy.map((file) => ({ name: file.name, sha256: file.sha256, bytes: file.bytes })) };
}

function recoveryOf(torn: TornTail): AuditEvent {
  return {
    event: 'audit.recovery', actor: 'system', resource: `file:${torn.file}`,
    details: { file: torn.file, offset: torn.offset, length: torn.length, sha256: torn.sha256, kept_as: torn.keptAs },
  };
}

/** What a chain begins with; named here for those who build one by hand. */
export { genesisHash };
