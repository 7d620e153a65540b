/**
 * Steering a session from another process: a wish is put into the session record by compare-and-set, and the session's
 * own process carries it out. A session whose process died is said to be dead, never waited for.
 */
import type { Clock, Lock, ProcessFacts, Random, Spawn, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { Recorder } from '../audit/entry.ts';
import type { Store } from '../store/store.ts';
import { closeDeadSession } from './closing.ts';
import type { RunProject } from './deps.ts';
import { sessionLockPath } from './opening.ts';
import { progressOf, readRun, type Progress } from './progress.ts';
import { runKeys, type Run } from './run.ts';
import { processLives, readSession, sessionValue, type SessionRecord, type SessionState } from './session.ts';

export interface ControlDeps {
  readonly store: Store;
  readonly facts: Pick<ProcessFacts, 'hostname' | 'startOf'>;
}

/** What stopping a dead session needs besides. */
export interface StopDeps extends ControlDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly record: Recorder;
  readonly spawn: Pick<Spawn, 'endMarked' | 'endProcess'>;
  readonly lock: (path: string) => Lock;
  readonly home: string;
}

/** A project's session as a person sees it. */
export interface SessionView {
  readonly session: SessionRecord;
  /** `dead`: its process is gone; `loki resume` takes the run up, `loki start` or `loki stop` closes it. */
  readonly state: SessionState | 'dead';
  readonly run: Run;
  readonly progress: Progress;
}

/** The project's session, or undefined when none is at work. */
export async function sessionStatus(deps: ControlDeps, project: RunProject): Promise<SessionView | undefined> {
  const entry = await deps.store.get(runKeys.session(project.id));
  if (entry === undefined) return undefined;
  const session = readSession(entry.value);
  const runEntry = await deps.store.get(runKeys.run(session.run_id));
  if (runEntry === undefined) return undefined;
  const run = readRun(runEntry.value);
  return { session, state: processLives(session, deps.facts) ? session.state : 'dead', run, progress: progressOf(run) };
}

/** The project's newest run, ended or not. Looks through at most `limit` runs of all projects, newest first. */
export async function latestRun(store: Store, project: RunProject, limit: number = 1000): Promise<Run | undefined> {
  const entries = await store.list(runKeys.runs, { limit, reverse: true });
  return entries.map(({ value }) => readRun(value)).find(({ project_id }) => project_id === project.id);
}

/** Asks the session to pause before its next phase. Throws `run.none`, also when its process died. */
export async function pauseSession(deps: ControlDeps, project: RunProject, actor: string): Promise<SessionRecord> {
  const attempted = `pause the session in "${project.dir}"`;
  return wish(deps, project, attempted, (session) => {
    if (!processLives(session, deps.facts)) throw dead(attempted, session);
    if (session.state === 'stopping') throw new LokiError('conflict', { attempted, found: 'it is being stopped' });
    return session.state === 'running' ? { ...session, state: 'pausing', requested_by: actor } : session;
  });
}

/** Lets a paused session go on. `dead`: its process is gone, and the caller must take the run up (`resumeRun`). */
export async function resumeSession(deps: ControlDeps, project: RunProject, actor: string): Promise<{ readonly session: SessionRecord; readonly dead: boolean }> {
  const attempted = `resume the session in "${project.dir}"`;
  let isDead = false;
  const session = await wish(deps, project, attempted, (before) => {
    isDead = !processLives(before, deps.facts);
    if (isDead) return before;
    if (before.state === 'stopping') throw new LokiError('conflict', { attempted, found: 'it is being stopped' });
    if (before.state === 'running') throw new LokiError('run.busy', { attempted, found: `it is running (process ${before.pid}, run ${before.run_id})`, hint: 'Look at it with: loki status' });
    return { ...before, state: 'running', requested_by: actor };
  });
  return { session, dead: isDead };
}

/** Asks the session to stop now, or closes a dead one as cancelled. Says which. */
export async function stopSession(deps: StopDeps, project: RunProject, actor: string): Promise<'stopping' | 'closed'> {
  const attempted = `stop the session in "${project.dir}"`;
  let isDead = false;
  await wish(deps, project, attempted, (before) => {
    isDead = !processLives(before, deps.facts);
    return isDead ? before : { ...before, state: 'stopping', requested_by: actor };
  });
  if (!isDead) return 'stopping';
  const lock = deps.lock(sessionLockPath(deps.home, project.id));
  await lock.acquire(lockWaitMs);
  try {
    await closeDeadSession(deps, project, actor, 'cancelled');
  } finally {
    lock.release();
  }
  return 'closed';
}

/** Waits until the project's session is over. False when it was not within the time. */
export async function waitForEnd(deps: ControlDeps & { readonly clock: Clock; readonly timers: Timers }, project: RunProject, timeoutMs: number): Promise<boolean> {
  const until = deps.clock.monotonic() + timeoutMs;
  for (;;) {
    const view = await sessionStatus(deps, project);
    if (view === undefined || view.state === 'dead') return true;
    if (deps.clock.monotonic() >= until) return false;
    await deps.timers.sleep(endCheckMs);
  }
}

const lockWaitMs = 400;
const endCheckMs = 100;
/** The session's own process changes the record now and then; it does not do so this often in a row. */
const mostConflicts = 50;

async function wish(deps: ControlDeps, project: RunProject, attempted: string, change: (before: SessionRecord) => SessionRecord): Promise<SessionRecord> {
  const key = runKeys.session(project.id);
  for (let tries = 0; tries < mostConflicts; tries += 1) {
    const entry = await deps.store.get(key);
    if (entry === undefined) throw new LokiError('run.none', { attempted, found: 'there is none' });
    const before = readSession(entry.value);
    const after = change(before);
    if (after === before) return before;
    const outcome = await deps.store.transact([{ key, revision: entry.revision }], [{ key, value: sessionValue(after) }]);
    if (outcome.committed) return after;
  }
  throw new LokiError('conflict', { attempted, found: 'the session changes faster than it can be steered' });
}

function dead(attempted: string, session: SessionRecord): LokiError {
  return new LokiError('run.none', { attempted, found: `its process ${session.pid} died`, hint: 'Take the run up again with: loki resume' });
}
