/**
 * A project's agent chain (contract section 4): what agents did there, after the fact, in `.loki/logs/agent-audit.jsonl`.
 * Chained as the log of record is, with members of its own. It lies in the project, where an agent of the same user can
 * reach it: it helps people look back, and decides nothing.
 */
import type { Clock, Disk, Lock, Timers } from '../ports.ts';
import { dirname } from '../base/paths.ts';
import type { JsonObject } from '../base/json.ts';
import { createGroupCommit } from '../journal/group-commit.ts';
import { openSegment, type Segment, type TornTail } from '../journal/segment.ts';
import { emptyTail, sealLine, type ChainTail } from './chain.ts';
import { isoTime } from './compose.ts';
import { findTail, tailWindow } from './tail.ts';

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
  /** Told when a torn tail was set aside, so that the log of record can say so. */
  readonly onTorn: (torn: TornTail) => void;
}

export interface AgentChain {
  /** Resolves with the entry's `seq` when it is on the medium. */
  append(entry: AgentEntry): Promise<number>;
  close(): Promise<void>;
}

const longestLine = 65_536;

export function openAgentChain(options: AgentChainOptions): AgentChain {
  let segment: Segment | undefined;
  let tail: ChainTail = emptyTail;

  function commit(entries: readonly AgentEntry[]): readonly number[] {
    try {
      segment ??= open(options);
      catchUp(segment);
      return write(segment, entries);
    } catch (error) {
      segment?.close();
      segment = undefined;
      tail = emptyTail;
      throw error;
    }
  }

  function catchUp(file: Segment): void {
    const from = file.size();
    const refresh = file.refresh();
    if (refresh.kind === 'replaced') {
      file.close();
      segment = open(options);
      tail = emptyTail;
      return catchUp(segment);
    }
    if (refresh.kind === 'same') return;
    if (refresh.torn !== undefined) options.onTorn(refresh.torn);
    adopt(file, from);
  }

  function adopt(file: Segment, from: number): void {
    const found = findTail(file, file.size(), from, from === 0 ? undefined : tail);
    if (found.kind === 'good' || found.kind === 'damaged') tail = found.tail ?? emptyTail;
    if (found.kind !== 'zeros') return;
    options.onTorn(file.setAside(found.offset));
    tail = emptyTail;
    adopt(file, 0);
  }

  function write(file: Segment, entries: readonly AgentEntry[]): readonly number[] {
    const now = options.clock.now();
    let at = tail;
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
    file.append(Buffer.from(text, 'utf8'));
    tail = at;
    return seqs;
  }

  const commits = createGroupCommit<AgentEntry, number>({
    lock: options.lock, clock: options.clock, timers: options.timers, lockTimeoutMs: options.lockTimeoutMs,
    batchItems: 512, batchBytes: tailWindow / 2, weigh: (entry) => Buffer.byteLength(JSON.stringify(entry)) + 256, commit,
  });
  return {
    append: (entry) => commits.add(bounded(entry)),
    async close() {
      await commits.idle();
      segment?.close();
      segment = undefined;
    },
  };
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
