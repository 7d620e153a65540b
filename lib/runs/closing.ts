/** Ends, from outside, a run whose process died. The caller holds the project's session lock, so nobody is at work. */
import type { Clock, ProcessFacts, Random, Spawn } from '../ports.ts';
import type { Recorder } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import type { Store, StoreCheck, StoreEntry } from '../store/store.ts';
import { auditOf } from './context.ts';
import type { RunProject } from './deps.ts';
import { readRun, StoredObject, type Progress } from './progress.ts';
import { runKeys, type Run } from './run.ts';
import { endLeftovers, readSession } from './session.ts';
import { hasEnded, stateOf, step } from './state.ts';
import { taskKeys, taskPriorities, type Task, type TaskStatus } from './task.ts';
import { Timeline } from './timeline.ts';

/** What closing needs of the world. */
export interface ClosingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly record: Recorder;
  readonly facts: Pick<ProcessFacts, 'hostname'>;
  readonly spawn: Pick<Spawn, 'endMarked'>;
  /** As for a run that is driven. */
  readonly fence?: () => Promise<StoreCheck>;
  /** Takes away what a provider had put down for a session. */
  readonly forgetSession?: (sessionId: string) => void;
}

const endings: Readonly<Record<'failed' | 'cancelled', { readonly move: 'fail' | 'stop'; readonly run: EventName; readonly session: EventName }>> = {
  failed: { move: 'fail', run: 'run.fail', session: 'session.fail' },
  cancelled: { move: 'stop', run: 'run.cancel', session: 'session.stop' },
};

/** Closes what is left of the project's last session, if anything is. Whether there was something to close. `because`: the reason in place of the usual one. */
export async function closeDeadSession(deps: ClosingDeps, project: RunProject, actor: string, status: 'failed' | 'cancelled', because?: string): Promise<boolean> {
  const sessionEntry = await deps.store.get(runKeys.session(project.id));
  if (sessionEntry === undefined) return false;
  const session = readSession(sessionEntry.value);
  endLeftovers(session, deps);
  deps.forgetSession?.(session.id);
  const entry = await deps.store.get(runKeys.run(session.run_id));
  const run = entry === undefined ? undefined : readRun(entry.value);
  if (entry === undefined || run === undefined || hasEnded(run.status)) {
    await deps.store.transact([{ key: sessionEntry.key, revision: sessionEntry.revision }], [{ key: sessionEntry.key, value: undefined }]);
    return false;
  }
  const timeline = new Timeline(deps, run, entry.revision);
  const { progress } = timeline;
  const reason = because ?? `process died (${session.pid})`;
  const ending = endings[status];
  const from = { status: run.status, phase: progress.phase, iteration: progress.iteration };
  const to = step(from, ending.move);
  const about = { place: { project }, sessionId: session.id };
  const details = { run_id: run.id, reason, iterations: progress.iteration };
  const tasks = await openTasks(deps, progress);
  await timeline.write({
    audit: [
      ...tasks.map((task) => auditOf(about, 'task.fail', { resource: `task:${task.id}`, details: { title: task.title, status: task.status, run_id: run.id } })),
      auditOf(about, ending.run, { actor, resource: `run:${run.id}`, details }),
      auditOf(about, ending.session, { actor, resource: `session:${session.id}`, details }),
    ],
    events: [
      { event_type: 'error', details: { message: reason } },
      { event_type: 'phase_change', phase: to.phase, details: { move: ending.move, from: stateOf(from), to: stateOf(to), iteration: to.iteration, reason } },
    ],
    tasks, status: to.status, session: () => null,
    progress: (before) => ({ ...before, reason }),
  });
  return true;
}

/** What ends a run that has no session: it never began, or what it had is lost. */
export async function closeRun(deps: Pick<ClosingDeps, 'clock' | 'random' | 'store' | 'record' | 'fence'>, entry: StoreEntry, ending: { readonly status: 'failed' | 'cancelled'; readonly actor: string; readonly reason: string }): Promise<Run> {
  const run = readRun(entry.value);
  const timeline = new Timeline(deps, run, entry.revision);
  const { phase, iteration } = timeline.progress;
  const { move, run: event } = endings[ending.status];
  const { reason, actor } = ending;
  const from = { status: run.status, phase, iteration };
  const to = step(from, move);
  const metadata = { ...(run.tenant_id === null ? {} : { tenant_id: run.tenant_id }), project_id: run.project_id };
  await timeline.write({
    audit: [{ event, actor, resource: `run:${run.id}`, details: { run_id: run.id, reason, iterations: iteration }, metadata }],
    events: [
      ...(ending.status === 'failed' ? [{ event_type: 'error', details: { message: reason } } as const] : []),
      { event_type: 'phase_change', phase: to.phase, details: { move, from: stateOf(from), to: stateOf(to), iteration: to.iteration, reason } },
    ],
    status: to.status,
    progress: (before) => ({ ...before, reason }),
  });
  return timeline.run;
}

async function openTasks(deps: ClosingDeps, progress: Progress): Promise<readonly Task[]> {
  const at = new Date(deps.clock.now()).toISOString();
  const tasks = await loadTasks(deps.store, progress);
  return tasks.filter(({ status }) => status === 'in_progress').map((task) => ({ ...task, status: 'failed', updated_at: at }));
}

/** The tasks of a run as the store has them; ones removed meanwhile are left out. */
export async function loadTasks(store: Store, progress: Progress): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for (const id of progress.task_ids) {
    const entry = await store.get(taskKeys.task(id));
    if (entry === undefined) continue;
    const from = new StoredObject('task', entry.value);
    tasks.push({
      id: from.text('id'), project_id: from.text('project_id'), title: from.text('title'), description: from.text('description'),
      status: from.oneOf<TaskStatus>('status', ['pending', 'in_progress', 'completed', 'failed']), priority: from.oneOf('priority', taskPriorities),
      created_at: from.text('created_at'), updated_at: from.text('updated_at'),
    });
  }
  return tasks;
}
