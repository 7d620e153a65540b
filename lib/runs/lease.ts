/**
 * Which worker drives a run. A lease is taken by compare-and-set, renewed again and again, and checked in every transaction
 * that its holder writes of the run: one that lost it, however long it slept, writes nothing more. Whether a lease has run out
 * is told from watching it stand still on our own monotonic clock, never from times that somebody wrote down.
 */
import type { Clock, ProcessFacts } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { JsonValue } from '../base/json.ts';
import type { Store, StoreCheck, StoreEntry } from '../store/store.ts';
import { StoredObject } from './progress.ts';
import { runKeys } from './run.ts';

export type LeaseRecord = {
  /** Differs for every lease that was ever taken. */
  readonly holder: string;
  readonly pid: number;
  /** Tells the process from a later one with the same pid. */
  readonly process_start: string;
  readonly hostname: string;
  readonly renewals: number;
  /** Standing still for so long, it has run out. */
  readonly lasts_ms: number;
};

/** Usual life of a lease without renewal; it is renewed three times in that. */
export const leaseMs = 15_000;

/** The value a store keeps. */
export function leaseValue(lease: LeaseRecord): JsonValue {
  return { ...lease };
}

/** Throws `store.corrupt` for anything that is none. */
export function readLease(value: JsonValue): LeaseRecord {
  const from = new StoredObject('lease', value);
  return {
    holder: from.text('holder'), pid: from.count('pid'), process_start: from.text('process_start'), hostname: from.text('hostname'),
    renewals: from.count('renewals'), lasts_ms: from.count('lasts_ms'),
  };
}

/** A lease that this process holds, or held. */
export interface Lease {
  /** What must hold in the store for its holder to write. Throws `conflict` when another has it, or nobody. */
  check(): Promise<StoreCheck>;
  /** False when it is lost. */
  renew(): Promise<boolean>;
  /** Gives it up, where it is ours still. */
  release(): Promise<void>;
}

/** Takes the lease of a run over what stands there at `revision` (0: nothing). Undefined when somebody was quicker. */
export async function takeLease(store: Store, runId: string, revision: number, record: LeaseRecord): Promise<Lease | undefined> {
  const key = runKeys.lease(runId);
  const taken = await store.transact([{ key, revision }], [{ key, value: leaseValue(record) }]);
  return taken.committed ? heldLease(store, runId, record) : undefined;
}

function heldLease(store: Store, runId: string, taken: LeaseRecord): Lease {
  const key = runKeys.lease(runId);
  let record = taken;
  const own = async (): Promise<StoreEntry | undefined> => {
    const entry = await store.get(key);
    return entry !== undefined && readLease(entry.value).holder === record.holder ? entry : undefined;
  };
  return {
    async check() {
      const entry = await own();
      if (entry !== undefined) return { key, revision: entry.revision };
      throw new LokiError('conflict', { attempted: `write run ${runId}`, found: 'this worker does not have its lease any more', hint: 'Another worker goes on with the run' });
    },
    async renew() {
      const entry = await own();
      if (entry === undefined) return false;
      const next = { ...record, renewals: record.renewals + 1 };
      const outcome = await store.transact([{ key, revision: entry.revision }], [{ key, value: leaseValue(next) }]);
      if (outcome.committed) record = next;
      return outcome.committed;
    },
    async release() {
      const entry = await own();
      if (entry !== undefined) await store.transact([{ key, revision: entry.revision }], [{ key, value: undefined }]);
    },
  };
}

/** How the lease of a run stands, as one onlooker sees it. */
export type LeaseStand =
  | { readonly free: true; readonly revision: number; /** The process that had it and may still be there, stuck. */ readonly stuck?: LeaseRecord }
  | { readonly free: false };

/** Watches leases: each call looks once more. */
export interface LeaseWatch {
  look(store: Store, runId: string): Promise<LeaseStand>;
}

/** Leases remembered at a time. Forgetting one only means to watch it anew. */
const mostRemembered = 10_000;

/** An onlooker with a memory of its own. */
export function watchLeases(facts: Pick<ProcessFacts, 'hostname' | 'startOf'>, clock: Pick<Clock, 'monotonic'>): LeaseWatch {
  const seen = new Map<string, { readonly mark: string; readonly since: number }>();
  return {
    async look(store, runId) {
      const entry = await store.get(runKeys.lease(runId));
      if (entry === undefined) {
        seen.delete(runId);
        return { free: true, revision: 0 };
      }
      const lease = readLease(entry.value);
      const lives = lease.hostname !== facts.hostname || facts.startOf(lease.pid) === lease.process_start;
      if (!lives) return { free: true, revision: entry.revision };
      const mark = `${lease.holder} ${lease.renewals}`;
      const before = seen.get(runId);
      if (before?.mark !== mark) {
        if (seen.size >= mostRemembered) seen.clear();
        seen.set(runId, { mark, since: clock.monotonic() });
        return { free: false };
      }
      if (clock.monotonic() - before.since <= lease.lasts_ms) return { free: false };
      return { free: true, revision: entry.revision, stuck: lease };
    },
  };
}
