/**
 * The log of record. Many processes append to one chain; each batch is written with one write and one sync, and only then do
 * its callers hear of it (`writer.ts`). How long an entry may wait for others is its event's durability (`events.ts`): a
 * decision goes out at once, a result within a few milliseconds, and what is best effort when there is room beside them.
 * What cannot be recorded is refused with `audit.unwritable`, and the caller must not act; what was best effort and got lost
 * is counted and told.
 */
import { LokiError, messageOf } from '../errors.ts';
import { createGroupCommit, type GroupCommit } from '../journal/group-commit.ts';
import { longestLine } from './chain.ts';
import type { AuditEvent, AuditReceipt } from './entry.ts';
import { canBeExcluded, durabilityOf, levels, usualLevel, type EventName } from './events.ts';
import type { AuditLogOptions } from './log-options.ts';
import { Losses, type LossReason } from './losses.ts';
import { tailWindow } from './tail.ts';
import { ChainWriter } from './writer.ts';

export type { AuditLogOptions } from './log-options.ts';

export interface AuditLog {
  /**
   * Resolves when the entry is on the medium. An event whose durability is `info` is accepted at once, with no number yet:
   * it is written a little later, or counted as lost.
   */
  append(event: AuditEvent): Promise<AuditReceipt>;
  /** Writes what is waiting, and what losses there were. */
  close(): Promise<void>;
}

/** Bytes of a line beside what its event brings: names, time, seal and the log's own metadata. */
const lineOverhead = 512;
/** With the longest entry on top, a batch stays below what `findTail` checks. */
const batchBytes = tailWindow - 2 * longestLine;
/** So much of what is best effort may wait, and one of them may be so large: no blob is written for it. */
const mostWaiting = { entries: 4096, bytes: 4 << 20 };
const largestBestEffort = 32_768;

const notRecorded: AuditReceipt = { seq: null, chain_hash: null };

/** An event, and about how many bytes its line will have: told once, for weighing takes as long as writing. */
interface Weighed {
  readonly event: AuditEvent;
  readonly bytes: number;
}

/** Nothing is touched on disk until the first `append`. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const losses = new Losses();
  const writer = new ChainWriter(options, losses);
  let batch = 0;
  const commits: GroupCommit<Weighed, AuditReceipt> = createGroupCommit<Weighed, AuditReceipt>({
    lock: options.lock, clock: options.clock, timers: options.timers, lockTimeoutMs: options.lockTimeoutMs,
    batchItems: 512, batchBytes, weigh: ({ bytes }) => bytes,
    commit(weighed) {
      batch = 0;
      const receipts = writer.commit(weighed.map(({ event }) => event));
      batch = weighed.length;
      return receipts;
    },
    committed: () => tellNews(options, writer, batch),
  });
  const prepare = createPreparation(options);
  const waiting = { entries: 0, bytes: 0 };
  let isLocked = false;

  function lose(event: AuditEvent, reason: LossReason, error?: unknown): void {
    losses.count(event.event, reason, options.clock.now());
    isLocked = error instanceof LokiError && error.code === 'lock.timeout';
  }

  async function appendDurably(event: AuditEvent): Promise<AuditReceipt> {
    const isDecision = durabilityOf(event.event) === 'decision';
    try {
      prepare.once();
      return await commits.add({ event, bytes: weightOf(event, options) }, isDecision ? 'now' : 'soon');
    } catch (error) {
      prepare.again();
      // Who records a result has no use for the refusal, and may not tell it to anybody.
      if (!isDecision) lose(event, 'write failed', error);
      throw unwritable(event.event, error);
    }
  }

  /** Accepts the event for writing later. Whatever becomes of it, the caller goes on. */
  function appendLater(event: AuditEvent): void {
    const bytes = weightOrNone(event, options);
    if (bytes === undefined || bytes > largestBestEffort) return lose(event, 'too large');
    if (waiting.entries >= mostWaiting.entries || waiting.bytes + bytes > mostWaiting.bytes) return lose(event, 'queue full');
    waiting.entries += 1;
    waiting.bytes += bytes;
    void writeLater({ event, bytes });
  }

  async function writeLater(weighed: Weighed): Promise<void> {
    try {
      prepare.once();
      await commits.add(weighed, 'late');
    } catch (error) {
      prepare.again();
      lose(weighed.event, 'write failed', error);
    }
    waiting.entries -= 1;
    waiting.bytes -= weighed.bytes;
  }

  return {
    async append(event) {
      if (!isWanted(event, options)) return notRecorded;
      if (options.everyEventDurable === true || durabilityOf(event.event) !== 'info') return appendDurably(event);
      appendLater(event);
      return notRecorded;
    },
    async close() {
      await commits.idle();
      await tellLosses(losses, isLocked ? undefined : commits, options);
      writer.close();
    },
  };
}

/** Whether an event is recorded at all. */
export function isWanted(event: AuditEvent, { exclude, level }: Pick<AuditLogOptions, 'exclude' | 'level'>): boolean {
  if (!canBeExcluded(event.event)) return true;
  if (exclude.has(event.event)) return false;
  return levels.indexOf(event.level ?? usualLevel(event.event)) >= levels.indexOf(level);
}

/** Makes the log's directory and what else must be there, once, and again after a failure: whatever was there may be gone. */
function createPreparation({ prepare, disk, base, directory, directoryMode }: AuditLogOptions): { once(): void; again(): void } {
  let done = false;
  return {
    once() {
      if (done) return;
      prepare?.();
      disk.ensureDirectory(base, directory, directoryMode);
      done = true;
    },
    again() { done = false; },
  };
}

function tellNews({ onAppended, onTurn }: AuditLogOptions, writer: ChainWriter, count: number): void {
  if (count === 0) return;
  const { seq, turned } = writer.takeNews();
  try {
    if (turned !== undefined) onTurn?.(turned.finished, turned.reason);
  } finally {
    onAppended?.(count, seq);
  }
}

/** Losses that no batch has told yet. Where they cannot be recorded either, somebody is told; a lock that was waited for in vain is not waited for again. */
async function tellLosses(losses: Losses, commits: GroupCommit<Weighed, AuditReceipt> | undefined, options: AuditLogOptions): Promise<void> {
  const gap = losses.tell();
  if (gap === undefined) return;
  losses.settle(true);
  const unheard = (): void => options.onLost?.(gap.details ?? {});
  if (commits === undefined) return unheard();
  await commits.add({ event: gap, bytes: weightOf(gap, options) }).catch(unheard);
  await commits.idle();
}

function weightOrNone(event: AuditEvent, options: AuditLogOptions): number | undefined {
  try {
    return weightOf(event, options);
  } catch {
    return undefined;
  }
}

/** What callers choose besides details: more than this is not recorded, so that no line outgrows what recovery looks at. */
const longestHead = 8192;

/** Bytes of the entry's line, about. Throws for what cannot become a line, so that it does not take its batch with it. */
function weightOf(event: AuditEvent, { protection }: AuditLogOptions): number {
  const head = Buffer.byteLength(JSON.stringify([event.actor, event.resource, event.metadata]));
  if (head > longestHead) throw new LokiError('request.large', { attempted: `record ${event.event}`, found: `actor, resource and metadata take ${head} bytes; at most ${longestHead} are recorded` });
  const details = event.details === undefined ? 0 : Buffer.byteLength(JSON.stringify(event.details));
  return Math.min(longestLine, lineOverhead + head + details + (protection?.overhead(event) ?? 0));
}

function unwritable(event: EventName, cause: unknown): LokiError {
  const hint = cause instanceof LokiError ? cause.hint : undefined;
  return new LokiError('audit.unwritable', { attempted: `record ${event}`, found: messageOf(cause), cause, ...(hint === undefined ? {} : { hint }) });
}
