/** How a log of record is opened. */
import type { Clock, Disk, Lock, Random, Timers } from '../ports.ts';
import type { JsonObject } from '../base/json.ts';
import type { EntryProtection } from './entry.ts';
import type { Level } from './events.ts';
import type { ResumePoint } from './resume.ts';
import type { UnheardLosses } from './unheard.ts';

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
  /** Puts envelopes around what is protected; nothing is when left out. */
  readonly protection?: EntryProtection;
  /** Whether entries carry chain hashes; they do when left out. A change begins a new file that says so. */
  readonly integrity?: boolean;
  /** Room kept back for a full disk; without it nothing is kept back. */
  readonly reservePath?: string;
  /** Where the checkpoints know the chain to have stood. Asked once, before the first entry. */
  readonly resume?: () => ResumePoint;
  /** Whether events of best effort are awaited as all others are. */
  readonly everyEventDurable?: boolean;
  /** Called when callers have their receipts, with the entries of the batch and the number of the newest one. Under the lock: be quick. */
  readonly onAppended?: (count: number, tailSeq: number) => void;
  /** Told likewise that a new file was begun: the name of the one before it, if any, and the reason. */
  readonly onTurn?: (finished: string | null, reason: string) => void;
  /** Told at `close` of losses that no `audit.gap` could record: its details. */
  readonly onLost?: (gap: JsonObject) => void;
  /** What others were told so. The first batch that is written tells it. */
  readonly unheard?: Pick<UnheardLosses, 'take' | 'told'>;
}
