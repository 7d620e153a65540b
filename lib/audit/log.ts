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
import { emptyTail, sealLine, type ChainTail } from './chain.ts';
import { composeEntry, type EntryStamp } from './compose.ts';
import type { AuditEvent, AuditReceipt } from './entry.ts';
import { canBeExcluded, levels, usualLevel, type EventName, type Level } from './events.ts';
import { compareFiles, dayOf, logFileName, type LogFileName } from './files.ts';
import { moveLegacyFiles, type LegacyFile } from './legacy.ts';
import { NewestFile } from './newest.ts';
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
/** Bytes of a line beside what its event brings: names, time, seal and the log's own metadata. */
const lineOverhead = 512;
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

/** What callers choose besides details: more than this is not recorded, so that no line outgrows what recovery looks at. */
const longestHead = 8192;

/** Bytes of the entry's line, about. Throws for what cannot become a line, so that it does not take its batch with it. */
function weightOf(event: AuditEvent): number {
  const head = Buffer.byteLength(JSON.stringify([event.actor, event.resource, event.metadata]));
  if (head > longestHead) throw new LokiError('request.large', { attempted: `record ${event.event}`, found: `actor, resource and metadata take ${head} bytes; at most ${longestHead} are recorded` });
  const details = event.details === undefined ? 0 : Buffer.byteLength(JSON.stringify(event.details));
  return Math.min(longestLine, lineOverhead + head + details);
}

function unwritable(event: EventName, cause: unknown): LokiError {
  const hint = cause instanceof LokiError ? cause.hint : undefined;
  return new LokiError('audit.unwritable', { attempted: `record ${event}`, found: messageOf(cause), cause, ...(hint === undefined ? {} : { hint }) });
}

/** The chain's state and the file it is in. Used under the lock only. */
class ChainWriter {
  readonly #options: AuditLogOptions;
  readonly #newest: NewestFile;
  #file: OpenFile | undefined;
  #tail: ChainTail = emptyTail;
  /** The furthest this process has seen the chain on disk: where a file was taken away, it goes on from here. */
  #seen: ChainTail = emptyTail;
  /** What the next batch must say: tails set aside, a file that went away, damage in the newest file, files of another format. */
  #pending: AuditEvent[] = [];
  #lost: JsonObject | undefined;
  #damage: JsonObject | undefined;
  #legacy: readonly LegacyFile[] = [];

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#newest = new NewestFile(options);
  }

  commit(events: readonly AuditEvent[]): readonly AuditReceipt[] {
    try {
      this.#catchUp();
      return this.#write(this.#turnPage(), events);
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

  /** Brings the state up to what stands on disk: the newest file that holds something is open, unless there is none. */
  #catchUp(): void {
    this.#damage = undefined;
    while (!this.#readNewest());
    if (this.#tail.seq < this.#seen.seq) {
      this.#lost ??= { reason: 'replaced', lost_file: this.#file?.name.name ?? null, found: 'shorter' };
      this.#tail = this.#seen;
    }
    this.#seen = this.#tail;
  }

  /** False when the file at hand turned out not to be the one: look again. */
  #readNewest(): boolean {
    if (this.#file === undefined) this.#legacy = [...this.#legacy, ...moveLegacyFiles(this.#options)];
    const newest = this.#newest.look();
    // Another process may have begun a new file for reasons this one does not see: another clock, another limit, damage.
    if (newest !== undefined && (this.#file === undefined || compareFiles(newest, this.#file.name) > 0)) this.#open(newest);
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
    return true;
  }

  /** Opens the next file when there is a reason to; gives what its `audit.open` says. */
  #turnPage(): JsonObject | undefined {
    const current = this.#file;
    const today = dayOf(Math.max(this.#options.clock.now(), this.#tail.time));
    const why = this.#whyTurn(today);
    if (why === undefined) return undefined;
    // What others wrote before they died was read, but may not be on the medium; the next file builds on it.
    current?.segment.sync();
    const name = current === undefined || today > current.name.day ? logFileName(today, 0) : nextPart(current.name);
    const { disk, base, directory, directoryMode } = this.#options;
    disk.ensureDirectory(base, directory, directoryMode);
    const { segment } = this.#open(name);
    if (segment.refresh().kind !== 'same') throw new LokiError('io.failed', { attempted: `begin log file "${name.name}"`, found: 'it holds something already' });
    return { previous_file: current?.name.name ?? null, ...why };
  }

  #whyTurn(today: string): JsonObject | undefined {
    const legacy = this.#legacy.map((file) => ({ name: file.name, sha256: file.sha256, bytes: file.bytes }));
    const moved = legacy.length === 0 ? {} : { legacy_files: legacy };
    if (this.#lost !== undefined) return { ...this.#lost, ...moved };
    if (this.#file === undefined) return { reason: 'first', ...moved };
    if (this.#damage !== undefined) return { ...this.#damage, ...moved };
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
    const now = this.#options.clock.now();
    const first = [...(open === undefined ? [] : [this.#openEvent(open)]), ...this.#pending];
    let tail = this.#tail;
    let text = '';
    const receipts: AuditReceipt[] = [];
    for (const event of [...first, ...events]) {
      const stamp: EntryStamp = { seq: tail.seq + 1, time: Math.max(now, tail.time), behindMs: Math.max(0, tail.time - now) };
      const sealed = sealLine(tail.hash, composeEntry(event, stamp, this.#options, longestLine));
      text += sealed.line;
      tail = { seq: stamp.seq, hash: sealed.hash, time: stamp.time };
      receipts.push({ seq: stamp.seq, chain_hash: sealed.hash });
    }
    this.#append(Buffer.from(text, 'utf8'));
    this.#tail = tail;
    this.#seen = tail;
    [this.#pending, this.#lost, this.#legacy] = [[], undefined, []];
    return receipts.slice(first.length);
  }

  /**
   * A failed append leaves whole lines in the file when only its sync failed. Their callers are told that nothing was
   * recorded, and nothing may be built on bytes that may never reach the medium: they are set aside on a new descriptor.
   */
  #append(lines: Buffer): void {
    const { name, segment } = this.#require();
    const size = segment.size();
    try {
      segment.append(lines);
    } catch (error) {
      this.close();
      this.#takeBack(name, size);
      throw error;
    }
  }

  #takeBack(name: LogFileName, size: number): void {
    try {
      const { segment } = this.#open(name);
      const refresh = segment.refresh();
      if (refresh.kind === 'grown' && refresh.torn !== undefined) this.#pending.push(recoveryOf(refresh.torn));
      if (segment.size() > size) this.#pending.push(recoveryOf(segment.setAside(size)));
    } catch {
      // The disk does not even take that. What stands there is looked at before the next batch.
      this.close();
    }
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
