/**
 * A project's agent chain (contract section 4): what agents did there, after the fact, in `.loki/logs/agent-audit.jsonl`.
 * Chained as the log of record is, with members of its own; a file whose day is over, or that is full, is put aside and the
 * chain runs on in a new one. It lies in the project, where an agent of the same user can reach it: it helps people look
 * back, and decides nothing.
 */
import type { Clock, Disk, Lock, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { basename, dirname, join } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import { createGroupCommit } from '../journal/group-commit.ts';
import { openSegment, takeBack, type Segment, type TornTail } from '../journal/segment.ts';
import { agentChainFiles, nextAgentFile } from './agent-files.ts';
import { emptyTail, longestLine, sealLine, type ChainTail } from './chain.ts';
import { isoTime } from './compose.ts';
import { dayOf } from './files.ts';
import type { ResumePoint } from './resume.ts';
import { findTail, tailIn, tailWindow } from './tail.ts';

export type AgentAction = 'cli_invoke' | 'git_commit' | 'file_write' | 'file_delete' | 'session_start' | 'session_stop';

/** The six actions. */
export const agentActions: readonly AgentAction[] =
  ['cli_invoke', 'git_commit', 'file_write', 'file_delete', 'session_start', 'session_stop'];

export interface AgentEntry {
  readonly action: AgentAction;
  /** What kind of agent, such as `development` or `claude`. */
  readonly agent: string;
  /** The git branch, or null outside git. */
  readonly branch: string | null;
  readonly details: JsonObject;
}

export interface AgentChainOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly lock: Lock;
  /** The project's real directory. */
  readonly base: string;
  readonly path: string;
  readonly tornDirectory: string;
  readonly lockTimeoutMs: number;
  /** A file that has reached this many bytes is put aside; without it only the day decides. */
  readonly maxFileBytes?: number;
  /** Where the chain's checkpoints know it to have stood. Asked once, before the first entry. */
  readonly resume?: () => ResumePoint;
  /** Told when a torn tail was set aside, so that the log of record can say so. */
  readonly onTorn: (torn: TornTail) => void;
  /** Told when entries that had been written are gone: the chain goes on after them. */
  readonly onLost?: (lost: LostEntries) => void;
}

/** What became of the file, and the newest entry that was there. */
export interface LostEntries {
  readonly file: string;
  readonly found: 'missing' | 'another file' | 'shorter';
  readonly lastSeq: number;
}

export interface AgentChain {
  /** Resolves with the entry's `seq` when it is on the medium. */
  append(entry: AgentEntry): Promise<number>;
  close(): Promise<void>;
}

export function openAgentChain(options: AgentChainOptions): AgentChain {
  const writer = new AgentWriter(options);
  const commits = createGroupCommit<AgentEntry, number>({
    lock: options.lock, clock: options.clock, timers: options.timers, lockTimeoutMs: options.lockTimeoutMs,
    batchItems: 512, batchBytes: tailWindow / 2, weigh: (entry) => Buffer.byteLength(JSON.stringify(entry)) + 256, commit: (entries) => writer.commit(entries),
  });
  return {
    append: (entry) => commits.add(bounded(entry)),
    async close() {
      await commits.idle();
      writer.close();
    },
  };
}

/** The chain's state and the file that is written. Used under the lock only. */
class AgentWriter {
  readonly #options: AgentChainOptions;
  #segment: Segment | undefined;
  #tail: ChainTail = emptyTail;
  /** The furthest this process knows the chain to have stood. */
  #seen: ChainTail = emptyTail;
  #isResumed = false;
  #found: LostEntries['found'] | undefined;

  constructor(options: AgentChainOptions) {
    this.#options = options;
  }

  commit(entries: readonly AgentEntry[]): readonly number[] {
    try {
      this.#catchUp();
      this.#rotateWhenDue();
      return this.#write(entries);
    } catch (error) {
      // What is on disk is no longer certain: look again before the next batch, on a new descriptor.
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  #catchUp(): void {
    while (!this.#readFile());
    const point = this.#isResumed ? undefined : this.#options.resume?.();
    this.#isResumed = true;
    if (point !== undefined && point !== 'unreadable' && point.seq > this.#seen.seq) this.#seen = point;
    if (this.#tail.seq < this.#seen.seq) {
      const found = this.#found ?? (this.#require().size() === 0 ? 'missing' : 'shorter');
      this.#options.onLost?.({ file: basename(this.#options.path), found, lastSeq: this.#seen.seq });
      this.#tail = this.#seen;
    }
    this.#seen = this.#tail;
    this.#found = undefined;
  }

  /** False when the file at hand turned out not to be the one: look again. */
  #readFile(): boolean {
    this.#segment ??= open(this.#options);
    const from = this.#segment.size();
    const refresh = this.#segment.refresh();
    if (refresh.kind === 'replaced') {
      this.#found = refresh.found;
      this.close();
      return false;
    }
    if (refresh.kind === 'grown' && refresh.torn !== undefined) this.#options.onTorn(refresh.torn);
    if (this.#segment.size() === 0) this.#tail = this.#rotatedTail();
    else if (refresh.kind === 'grown') this.#adopt(this.#segment, from);
    return true;
  }

  #adopt(file: Segment, from: number): void {
    const found = findTail(file, file.size(), from, from === 0 ? undefined : this.#tail);
    if (found.kind === 'zeros') {
      this.#options.onTorn(file.setAside(found.offset));
      return this.#adopt(file, 0);
    }
    this.#tail = (found.kind === 'empty' ? undefined : found.tail) ?? this.#rotatedTail();
  }

  /** Where the chain stood at the end of the newest file that was put aside and holds an entry. */
  #rotatedTail(): ChainTail {
    const { disk, path } = this.#options;
    const directory = dirname(path);
    for (const { name, day } of agentChainFiles(disk.list(directory)).toReversed()) {
      const tail = day === undefined ? undefined : readableTailIn(disk, directory, name);
      if (tail !== undefined) return tail;
    }
    return emptyTail;
  }

  #rotateWhenDue(): void {
    const { clock, maxFileBytes = Number.POSITIVE_INFINITY } = this.#options;
    const size = this.#require().size();
    const day = dayOf(this.#tail.time);
    const isDayOver = this.#tail.time > 0 && dayOf(Math.max(clock.now(), this.#tail.time)) > day;
    if (size > 0 && (isDayOver || size >= maxFileBytes)) this.#rotate(day);
  }

  /** A power cut leaves the file under one name or the other; the next writer finds the chain's end under both. */
  #rotate(day: string): void {
    const { disk, path } = this.#options;
    const directory = dirname(path);
    // What others wrote before they died was read, but may not be on the medium; the next file builds on it.
    this.#require().sync();
    this.close();
    disk.move(path, join(directory, nextAgentFile(disk.list(directory), day)));
    this.#segment = open(this.#options);
  }

  #write(entries: readonly AgentEntry[]): readonly number[] {
    const now = this.#options.clock.now();
    let at = this.#tail;
    let text = '';
    const seqs: number[] = [];
    for (const entry of entries) {
      const time = Math.max(now, at.time);
      const { action, agent, branch, details } = entry;
      const sealed = sealLine(at.hash, JSON.stringify({ seq: at.seq + 1, timestamp: isoTime(time), action, agent, branch, details }));
      at = { seq: at.seq + 1, hash: sealed.hash, time };
      text += sealed.line;
      seqs.push(at.seq);
    }
    this.#append(Buffer.from(text, 'utf8'));
    this.#tail = at;
    this.#seen = at;
    return seqs;
  }

  /** What a failed append left behind was told to nobody as written, and must not be built on. */
  #append(lines: Buffer): void {
    const segment = this.#require();
    const size = segment.size();
    try {
      segment.append(lines);
    } catch (error) {
      this.close();
      for (const torn of takeBack(() => open(this.#options), size).torn) this.#options.onTorn(torn);
      throw error;
    }
  }

  #require(): Segment {
    if (this.#segment === undefined) throw new LokiError('internal', { attempted: 'write the agent chain', found: 'no file is open' });
    return this.#segment;
  }
}

/** A compressed file that cannot be inflated is verification's concern: the chain goes on from the one before. */
function readableTailIn(disk: Disk, directory: string, name: string): ChainTail | undefined {
  try {
    return tailIn(disk, directory, name);
  } catch {
    return undefined;
  }
}

function open(options: AgentChainOptions): Segment {
  options.disk.ensureDirectory(options.base, dirname(options.path), 0o700);
  return openSegment({ ...options, mode: 0o600, longestLine: tailWindow });
}

/** Longer than any agent's name and any branch that people use. */
const longestName = 255;

/** Details that do not fit a line are replaced by their size: this chain keeps no blobs. Names are cut. */
function bounded({ action, agent, branch, details }: AgentEntry): AgentEntry {
  const bytes = Buffer.byteLength(JSON.stringify(details));
  return {
    action, agent: agent.slice(0, longestName), branch: branch === null ? null : branch.slice(0, longestName),
    details: bytes < longestLine - 4096 ? details : { omitted_bytes: bytes },
  };
}
