/** Checks that a run's timeline is whole and its end legal. */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../lib/base/json.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { progressOf, readRun } from '../../lib/runs/progress.ts';
import { runKeys, type Phase, type Run, type RunEvent } from '../../lib/runs/run.ts';
import { hasEnded, stateOf, step, transitions, type Move, type Position } from '../../lib/runs/state.ts';
import { taskKeys } from '../../lib/runs/task.ts';
import type { Store } from '../../lib/store/store.ts';
import { asEvent } from './run-bench.ts';

/** Walks the timeline along the table and says where it ends. */
export function walk(events: readonly RunEvent[]): Position {
  let at: Position = { status: 'pending', phase: null, iteration: 0 };
  for (const { event_type, details } of events) {
    if (event_type !== 'phase_change') continue;
    assert.equal(details['from'], stateOf(at));
    at = step(at, asMove(details));
    assert.equal(details['to'], stateOf(at));
    assert.equal(details['iteration'], at.iteration);
  }
  return at;
}

function asMove(details: JsonObject): Move {
  const move = transitions.map(([, one]) => one).find((one) => one === details['move']);
  assert.ok(move !== undefined, `unknown move ${String(details['move'])}`);
  return move;
}

/** The store's only run, if it has one. */
export async function onlyRun(store: Store): Promise<Run | undefined> {
  const runs = await store.list(runKeys.runs, { limit: 10 });
  assert.ok(runs.length <= 1, 'one run');
  return runs[0] === undefined ? undefined : readRun(runs[0].value);
}

/** Fails unless the only run has ended and is recorded without gap, double or contradiction. */
export async function assertWhole(store: Store, log: readonly Pick<AuditEvent, 'event' | 'details'>[]): Promise<Run> {
  const run = await onlyRun(store);
  assert.ok(run !== undefined);
  const events = (await store.list(runKeys.events(run.id), { limit: 10_000 })).map(({ value }) => asEvent(value));
  assert.deepEqual(events.map(({ seq }) => seq), events.map((_, at) => at + 1), 'no gap, no double');
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  const end = walk(events);
  assert.equal(end.status, run.status);
  assert.ok(hasEnded(run.status), run.status);
  assert.equal(progressOf(run).last_seq, events.length);
  assert.equal(await store.get(runKeys.session(run.project_id)), undefined);
  const tasks = (await store.list(taskKeys.tasks, { limit: 100 })).map(({ value }) => value as unknown as { title: string; status: string });
  assert.equal(new Set(tasks.map(({ title }) => title)).size, tasks.length, 'no task twice');
  assert.ok(tasks.every(({ status }) => status === 'completed' || run.status !== 'completed'));
  const entered = (phase: Phase): number => events.filter(({ event_type, details }) => event_type === 'phase_change' && details['to'] === phase && details['move'] !== 'take_up').length;
  assert.ok(entered('VERIFY') <= 2);
  for (const { event_type, details } of events) {
    if (event_type !== 'quality_gate') continue;
    assert.ok(log.some(({ event, details: recorded }) => event === 'gate.pass' && recorded?.['name'] === details['name']), 'what the timeline has, the log has');
  }
  assert.ok(log.some(({ event }) => event === (run.status === 'completed' ? 'run.complete' : run.status === 'failed' ? 'run.fail' : 'run.cancel')));
  return run;
}
