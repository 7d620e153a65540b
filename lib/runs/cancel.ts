/**
 * Cancels a run, whatever state it is in: one that waits at once, one that is driven by telling its session to stop, one whose
 * process died, or does not obey, by ending what is left of it and closing it. When it resolves, nothing of the run works on.
 */
import type { ProcessFacts, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { StoreEntry } from '../store/store.ts';
import { closeDeadSession, closeRun } from './closing.ts';
import type { StopDeps } from './control.ts';
import type { RunProject } from './deps.ts';
import { sessionLockPath } from './opening.ts';
import { readRun } from './progress.ts';
import { runKeys, type Run } from './run.ts';
import { processLives, readSession, sessionValue, type SessionRecord } from './session.ts';
import { hasEnded } from './state.ts';

export interface CancelDeps extends StopDeps {
  readonly facts: Pick<ProcessFacts, 'hostname' | 'startOf' | 'pid'>;
  readonly timers: Pick<Timers, 'sleep'>;
  /** Takes away what a provider had put down for a session. */
  readonly forgetSession?: (sessionId: string) => void;
}

/** A session that is asked to stop ends its agent's processes within a second and records it; one that has not after this is stuck. */
const obedienceMs = 3_000;
const lookEveryMs = 50;
const lockWaitMs = 400;
/** Whoever drives the run writes it all the while; nobody is in our way this often. */
const mostConflicts = 50;

/** The run as it is then: `cancelled`, or what it had just become. Throws `not_found`, and `conflict` for one that had ended before. */
export async function cancelRun(deps: CancelDeps, runId: string, actor: string): Promise<Run> {
  const attempted = `cancel run ${runId}`;
  const until = deps.clock.monotonic() + obedienceMs;
  let asked = false;
  for (let conflicts = 0; conflicts < mostConflicts;) {
    const entry = await deps.store.get(runKeys.run(runId));
    if (entry === undefined) throw new LokiError('not_found', { attempted, found: 'there is no such run' });
    const run = readRun(entry.value);
    if (hasEnded(run.status)) {
      if (asked) return run;
      throw new LokiError('conflict', { attempted, found: `it is ${run.status}`, hint: 'A run that has ended stays as it is' });
    }
    try {
      const session = run.status === 'pending' ? undefined : await sessionOf(deps, run);
      if (session === undefined) return await closeRun(deps, entry, { status: 'cancelled', actor, reason: `cancelled by ${actor}` });
      asked = true;
      if (isOver(deps, session.record, until)) await close(deps, run, session.record, actor);
      else await ask(deps, session, actor);
    } catch (error) {
      if (!(error instanceof LokiError) || error.code !== 'conflict') throw error;
      conflicts += 1;
    }
    await deps.timers.sleep(lookEveryMs);
  }
  throw new LokiError('conflict', { attempted, found: 'others change it all the while', hint: 'Try again' });
}

interface SessionEntry {
  readonly entry: StoreEntry;
  readonly record: SessionRecord;
}

/** The session that is at work on the run. */
async function sessionOf({ store }: CancelDeps, run: Run): Promise<SessionEntry | undefined> {
  const entry = await store.get(runKeys.session(run.project_id));
  const record = entry === undefined ? undefined : readSession(entry.value);
  return entry === undefined || record?.run_id !== run.id ? undefined : { entry, record };
}

/** Whether nothing more is to be expected of the session's process. One that had its time and lives on is ended. */
function isOver({ facts, spawn, clock }: CancelDeps, session: SessionRecord, until: number): boolean {
  if (!processLives(session, facts)) return true;
  if (clock.monotonic() < until || session.hostname !== facts.hostname || session.pid === facts.pid) return false;
  spawn.endProcess(session.pid);
  return true;
}

/** Puts the wish into the session's record; a wish that stands there already is left. */
async function ask({ store }: CancelDeps, { entry, record }: SessionEntry, actor: string): Promise<void> {
  if (record.state === 'stopping') return;
  await store.transact([{ key: entry.key, revision: entry.revision }], [{ key: entry.key, value: sessionValue({ ...record, state: 'stopping', requested_by: actor }) }]);
}

/** Under the lock that every driver of the project holds: nobody is at work. */
async function close(deps: CancelDeps, run: Run, session: SessionRecord, actor: string): Promise<void> {
  const lock = deps.lock(sessionLockPath(deps.home, run.project_id));
  try {
    await lock.acquire(lockWaitMs);
  } catch (error) {
    // Somebody is just taking it up, or the kernel has not yet given back what the dead one held: look again.
    if (error instanceof LokiError && error.code === 'lock.timeout') return;
    throw error;
  }
  try {
    const project: RunProject = { id: run.project_id, dir: '', tenant_id: run.tenant_id };
    const now = await sessionOf(deps, run);
    if (now?.record.pid === session.pid && now.record.process_start === session.process_start) await closeDeadSession(deps, project, actor, 'cancelled', `cancelled by ${actor}`);
  } finally {
    lock.release();
  }
}
