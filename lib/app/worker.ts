/**
 * A worker: takes runs that were ordered, one at a time, each under a lease, and sees each to an end. A run whose worker died is
 * taken up where its project allows that, and else closed with the reason; one that cannot even begin is closed with the words of
 * why. It decides nothing about what a run may do: that is the session's, as it is for `loki start`.
 */
import { LokiError, messageOf, type ErrorCode } from '../errors.ts';
import { newId } from '../base/ids.ts';
import { parseContext } from '../base/trace-context.ts';
import { closeDeadSession, closeRun, type ClosingDeps } from '../runs/closing.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { short } from '../runs/answer.ts';
import type { RunOutcome, RunProject } from '../runs/deps.ts';
import { leaseMs, takeLease, watchLeases, type Lease, type LeaseWatch } from '../runs/lease.ts';
import { sessionLockPath } from '../runs/opening.ts';
import { orderedDocument, termsOf } from '../runs/orders.ts';
import { progressOf, readRun } from '../runs/progress.ts';
import { queuedRun, queuedRuns, unqueue, type QueuedRun } from '../runs/queue.ts';
import { runKeys, type Run } from '../runs/run.ts';
import { processLives, readSession, type SessionRecord } from '../runs/session.ts';
import { hasEnded } from '../runs/state.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import { roomOf } from './agents.ts';
import { openRecord, type OpenLog } from './audit/record.ts';
import type { Installation } from './installation.ts';
import { installationFor } from './order-terms.ts';
import { projectPlace } from './project-place.ts';
import { startOrderedSession, takeUpSession, type SessionOptions } from './session.ts';
import { openStore } from './store.ts';

/** What came of looking at a run. `held`: somebody else has it. `later`: not now, for the reason; `broken`: this process began it and cannot go on, so it must end for another to take it up. */
export type Seen =
  | { readonly as: 'ended'; readonly run_id: string; readonly status: Run['status']; readonly reason: string }
  | { readonly as: 'held'; readonly run_id: string; readonly reason: string }
  | { readonly as: 'later'; readonly run_id: string; readonly reason: string; readonly broken?: boolean }
  | { readonly as: 'gone'; readonly run_id: string };

export interface WorkerOptions {
  /** Aborting lets go of the run at hand, for another worker to take up, and ends the worker. */
  readonly signal: AbortSignal;
  readonly narrate?: SessionOptions['narrate'];
  /** Milliseconds of a lease. */
  readonly leaseMs?: number;
}

export interface Worker {
  /** Sees to one run. Undefined: it is not waiting. */
  see(runId: string): Promise<Seen | undefined>;
  /** The runs that wait or are driven, the oldest first. */
  waiting(): Promise<readonly QueuedRun[]>;
  close(): Promise<void>;
}

/** Processes that may die over one run before it is closed: what ends each of them would end the next. */
const mostAttempts = 5;
const lockWaitMs = 1_000;

/** Nothing is wrong with the run itself: it waits. */
const notNow: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['run.busy', 'lock.timeout', 'audit.unwritable', 'io.failed', 'record.unsafe', 'store.corrupt', 'interrupted']);

/** Opens the store and the log. */
export async function openWorker(installation: Installation, options: WorkerOptions): Promise<Worker> {
  const log = openRecord(installation);
  const root = await openStore(installation, log.record);
  const parts: Parts = { installation, options, log, root, leases: watchLeases(installation.host.facts, installation.host.clock) };
  return {
    async see(runId) {
      const queued = await queuedRun(root, runId);
      return queued === undefined ? undefined : seeTo(parts, queued);
    },
    waiting: () => queuedRuns(root),
    async close() {
      await root.close();
      await log.close();
    },
  };
}

interface Parts {
  readonly installation: Installation;
  readonly options: WorkerOptions;
  readonly log: OpenLog;
  readonly root: Store;
  readonly leases: LeaseWatch;
}

async function seeTo(parts: Parts, queued: QueuedRun): Promise<Seen> {
  const { installation: { host }, root, leases } = parts;
  const store = tenantView(root, queued.tenant_id);
  const run_id = queued.run_id;
  if (await isOver(store, run_id)) {
    await forget(root, store, run_id);
    return { as: 'gone', run_id };
  }
  const stand = await leases.look(store, run_id);
  if (!stand.free) return { as: 'held', run_id, reason: 'another worker has its lease' };
  // One that is stuck holds the project's lock too; were it to wake, it would find its lease gone and write nothing.
  if (stand.stuck?.hostname === host.facts.hostname && stand.stuck.pid !== host.facts.pid) host.spawn.endProcess(stand.stuck.pid);
  const lease = await takeLease(store, run_id, stand.revision, {
    holder: newId('request', host.clock.now(), host.random.bytes(10)), pid: host.facts.pid, process_start: host.facts.startOf(host.facts.pid) ?? '', hostname: host.facts.hostname,
    renewals: 0, lasts_ms: parts.options.leaseMs ?? leaseMs,
  });
  if (lease === undefined) return { as: 'held', run_id, reason: 'another worker was quicker' };
  const kept = keepRenewing(parts, lease);
  try {
    const seen = await drive({ ...parts, store, lease, relinquish: kept.lost }, queued);
    if (seen.as === 'ended') await forget(root, store, run_id);
    return seen;
  } finally {
    kept.stop();
    await lease.release().catch(() => undefined);
  }
}

async function isOver(store: Store, runId: string): Promise<boolean> {
  const entry = await store.get(runKeys.run(runId));
  return entry === undefined || hasEnded(readRun(entry.value).status);
}

/** What is kept for workers of a run that has ended. */
async function forget(root: Store, store: Store, runId: string): Promise<void> {
  await unqueue(root, runId);
  await store.transact([], [{ key: runKeys.lease(runId), value: undefined }]);
}

/** Renews a lease three times in its life. Lost, or not renewed for all of its life, it is let go of. */
function keepRenewing({ installation: { host: { timers, clock } }, options }: Parts, lease: Lease): { readonly lost: AbortSignal; stop(): void } {
  const life = options.leaseMs ?? leaseMs;
  const letGo = new AbortController();
  const end = (): void => letGo.abort();
  if (options.signal.aborted) end();
  options.signal.addEventListener('abort', end, { once: true });
  let renewed = clock.monotonic();
  const stop = timers.every(life / 3, () => {
    lease.renew().then((held) => {
      if (held) renewed = clock.monotonic();
      else end();
    }, () => {
      if (clock.monotonic() - renewed > life) end();
    });
  });
  return {
    lost: letGo.signal,
    stop() {
      stop();
      options.signal.removeEventListener('abort', end);
    },
  };
}

interface Driving extends Parts {
  readonly store: Store;
  readonly lease: Lease;
  readonly relinquish: AbortSignal;
}

async function drive(driving: Driving, queued: QueuedRun): Promise<Seen> {
  const { store } = driving;
  const entry = await store.get(runKeys.run(queued.run_id));
  if (entry === undefined) return { as: 'gone', run_id: queued.run_id };
  const run = readRun(entry.value);
  if (hasEnded(run.status)) return ended(run, 'it had ended');
  const place = await placeOf(driving, queued);
  if (run.status === 'pending') {
    return orClosed(driving, queued, async () => {
      if ('missing' in place) throw place.missing;
      const installation = installationFor(driving.installation, place.dir, termsOf(run));
      return startOrderedSession(installation, { run, revision: entry.revision }, await orderedDocument(store, run), sessionOptions(driving, queued, queued.ordered_by));
    });
  }
  return goOn(driving, queued, run, place);
}

/** The directory of the run's project on this machine, or why there is none. */
async function placeOf({ installation, store }: Driving, { run_id, project_id, tenant_id }: QueuedRun): Promise<{ readonly dir: string } | { readonly missing: LokiError }> {
  try {
    return { dir: await projectPlace(installation, { project_id, tenant_id, store }, `begin run ${run_id}`) };
  } catch (error) {
    if (error instanceof LokiError && error.code === 'project.unknown') return { missing: error };
    throw error;
  }
}

/** A run that was begun: by a process that lives, which keeps it, or by one that died. */
async function goOn(driving: Driving, queued: QueuedRun, run: Run, place: Awaited<ReturnType<typeof placeOf>>): Promise<Seen> {
  const { store, installation: { host } } = driving;
  const entry = await store.get(runKeys.session(run.project_id));
  const session = entry === undefined ? undefined : readSession(entry.value);
  if (session?.run_id === run.id && processLives(session, host.facts)) return { as: 'held', run_id: run.id, reason: `process ${session.pid} drives it` };
  const failed = (reason: string): Promise<Seen> => close(driving, run, session, reason);
  if (session?.run_id !== run.id) return failed('what its session had is lost');
  if ('missing' in place) return failed(`process ${session.pid} died, and ${place.missing.message}`);
  if (progressOf(run).attempt >= mostAttempts) return failed(`${mostAttempts} processes have died over it, the last was ${session.pid}`);
  return orClosed(driving, queued, async () => {
    const installation = installationFor(driving.installation, place.dir, {});
    if (!installation.config.runs.takeUp) throw new LokiError('run.failed', { attempted: 'take the run up', found: `process ${session.pid} died, and runs.take_up is off` });
    return takeUpSession(installation, sessionOptions(driving, queued, 'system'), run.id);
  });
}

function sessionOptions({ options, store, lease, relinquish }: Driving, { traceparent, tracestate }: QueuedRun, actor: string): SessionOptions {
  // Nobody sits here who could interrupt: a person cancels the run.
  const { signal } = new AbortController();
  return {
    actor, signal, driven: { store, fence: () => lease.check(), relinquish, trace: parseContext(traceparent, tracestate) },
    ...(options.narrate === undefined ? {} : { narrate: options.narrate }),
  };
}

/** Does it; what keeps a run from beginning, or from going on, ends it, unless it is only that it cannot be now. */
async function orClosed(driving: Driving, queued: QueuedRun, work: () => Promise<RunOutcome>): Promise<Seen> {
  try {
    const { run, reason } = await work();
    return ended(run, reason);
  } catch (error) {
    if (!(error instanceof LokiError)) throw error;
    const entry = await driving.store.get(runKeys.run(queued.run_id));
    const run = entry === undefined ? undefined : readRun(entry.value);
    if (run === undefined) return { as: 'gone', run_id: queued.run_id };
    if (hasEnded(run.status)) return ended(run, messageOf(error));
    const entryOfSession = await driving.store.get(runKeys.session(run.project_id));
    const session = entryOfSession === undefined ? undefined : readSession(entryOfSession.value);
    const broken = session?.run_id === run.id && session.pid === driving.installation.host.facts.pid;
    if (broken || driving.relinquish.aborted || notNow.has(error.code)) return { as: 'later', run_id: run.id, reason: error.message, broken };
    return close(driving, run, session, error.message);
  }
}

function ended({ id, status }: Run, reason: string): Seen {
  return { as: 'ended', run_id: id, status, reason };
}

/** Closes a run as failed, under the lock that whoever drives the project holds. */
async function close(driving: Driving, run: Run, session: SessionRecord | undefined, reason: string): Promise<Seen> {
  const { installation, store, lease, log } = driving;
  const { host, home } = installation;
  const deps: ClosingDeps = { ...host, store, record: log.record, fence: () => lease.check(), forgetSession: (sessionId) => roomOf(installation, sessionId).remove() };
  const project: RunProject = { id: run.project_id, dir: '', tenant_id: run.tenant_id };
  const lock = host.lock(sessionLockPath(home.home, run.project_id));
  const words = short(scanners.redact(reason));
  try {
    await lock.acquire(lockWaitMs);
  } catch (error) {
    if (error instanceof LokiError && error.code === 'lock.timeout') return { as: 'later', run_id: run.id, reason: 'another session is at work in its project' };
    throw error;
  }
  try {
    if (session?.run_id === run.id) await closeDeadSession(deps, project, 'system', 'failed', words);
    else await closeNow(deps, run, words);
  } finally {
    lock.release();
  }
  return ended({ ...run, status: 'failed' }, words);
}

async function closeNow(deps: ClosingDeps, run: Run, reason: string): Promise<void> {
  const entry: StoreEntry | undefined = await deps.store.get(runKeys.run(run.id));
  if (entry !== undefined && !hasEnded(readRun(entry.value).status)) await closeRun(deps, entry, { status: 'failed', actor: 'system', reason });
}
