/** Cancelling: whatever the run does, and whatever its agent does against it, nothing of it works on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { facts } from '../../lib/host/facts.ts';
import { newId } from '../../lib/base/ids.ts';
import { cancelRun } from '../../lib/runs/cancel.ts';
import { orderRun } from '../../lib/runs/orders.ts';
import { readRun } from '../../lib/runs/progress.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { startRun } from '../../lib/runs/runner.ts';
import { until } from '../support/ground.ts';
import { realRun } from '../support/real-run.ts';
import { createBench } from '../support/run-bench.ts';
import { assertWhole } from '../support/run-check.ts';

/**
 * An agent that does not want to end: it ignores SIGTERM, and has children that do, in its group, in a session of their own, and in
 * one without the environment by which they are known.
 */
const hostile = `
trap '' TERM
echo $$ >> "$HOME/pids"
(trap '' TERM; echo $(exec sh -c 'echo $PPID') >> "$HOME/pids"; while :; do sleep 1; done) &
setsid sh -c 'trap "" TERM; echo $$ >> "$HOME/pids"; while :; do sleep 1; done' &
env -i HOME="$HOME" PATH="$PATH" setsid sh -c 'trap "" TERM; echo $$ >> "$HOME/pids"; while :; do sleep 1; done' &
while :; do sleep 1; done
`;

test('a cancelled run\'s agent is gone with everything it started, however it is held on to', async (t) => {
  if (process.platform !== 'linux') return t.diagnostic('this system does not show the environments of processes: not tried');
  const { deps, order, bench, dir, home } = realRun(t, { argv: ['/bin/sh', '-c', hostile] });
  const running = startRun(deps, order);
  const pids = (): readonly number[] => {
    try {
      return readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n').map(Number);
    } catch {
      return [];
    }
  };
  await until('the agent has started its children', () => pids().length === 4);
  const [entry] = await deps.store.list(runKeys.runs, { limit: 2 });
  const id = readRun(entry?.value ?? null).id;
  const began = performance.now();
  const run = await cancelRun({ ...deps, home }, id, 'token:boss');
  assert.equal(run.status, 'cancelled');
  await until('all of it is gone', () => pids().every((pid) => facts.startOf(pid) === undefined));
  assert.ok(performance.now() - began < 5_000);
  assert.equal((await running).status, 'cancelled');
  const whole = await assertWhole(deps.store, bench.recorded);
  assert.equal(whole.status, 'cancelled');
  assert.deepEqual(bench.recorded.filter(({ event }) => event === 'run.cancel').map(({ actor }) => actor), ['token:boss']);
});

test('one that waits is cancelled at once; one that has ended, or is not there, is not', async () => {
  const bench = createBench();
  const { run } = await orderRun({ ...bench.deps, root: bench.store }, { project_id: bench.order.project.id, tenant_id: null, trigger: 'api', terms: {}, actor: 'user:x' });
  const cancel = (id: string): ReturnType<typeof cancelRun> => cancelRun({ ...bench.deps, home: '/home/loki' }, id, 'user:boss');
  const both = await Promise.allSettled([cancel(run.id), cancel(run.id)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const events = await bench.events(run.id);
  assert.deepEqual(events.map(({ event_type, details }) => [event_type, details['move'], details['to']]), [['phase_change', 'stop', 'cancelled']]);
  await assert.rejects(cancel(run.id), { code: 'conflict', message: `Cannot cancel run ${run.id}: it is cancelled` });
  await assert.rejects(cancel(newId('run', 1, new Uint8Array(10))), { code: 'not_found' });
});

test('the run of a process that died is closed as cancelled, and what it left is ended', async () => {
  const letGo = new AbortController();
  const ended: string[] = [];
  const bench = createBench({ deps: { }, answer: (call) => {
    if (call.phase === 'ACT') letGo.abort();
    return ['working'];
  } });
  await assert.rejects(startRun(bench.deps, { ...bench.order, relinquish: letGo.signal }), { code: 'interrupted' });
  const [entry] = await bench.store.list(runKeys.runs, { limit: 1 });
  const dead = {
    ...bench.deps, home: '/home/loki', facts: { ...bench.deps.facts, startOf: () => undefined },
    spawn: { ...bench.deps.spawn, endMarked: (name: string, value: string) => ended.push(`${name}=${value}`) },
  };
  const run = await cancelRun(dead, readRun(entry?.value ?? null).id, 'user:boss');
  assert.equal(run.status, 'cancelled');
  assert.equal(ended.length, 1);
  await assertWhole(bench.store, bench.recorded);
});

test('a session that does not obey is ended', async () => {
  const letGo = new AbortController();
  const bench = createBench({ answer: (call) => {
    if (call.phase === 'ACT') letGo.abort();
    return ['working'];
  } });
  await assert.rejects(startRun(bench.deps, { ...bench.order, relinquish: letGo.signal }), { code: 'interrupted' });
  const [entry] = await bench.store.list(runKeys.runs, { limit: 1 });
  let lives = true;
  let at = 0;
  const killed: number[] = [];
  const run = await cancelRun({
    ...bench.deps, home: '/home/loki', clock: { ...bench.deps.clock, monotonic: () => { at += 200; return at; } }, timers: { sleep: () => bench.deps.timers.sleep(1) },
    facts: { ...bench.deps.facts, pid: 1, startOf: (pid) => (pid === 4711 && lives ? 'start-4711' : undefined) },
    spawn: { endMarked: () => 0, endProcess: (pid) => { killed.push(pid); lives = false; return true; } },
  }, readRun(entry?.value ?? null).id, 'user:boss');
  assert.equal(run.status, 'cancelled');
  assert.deepEqual(killed, [4711]);
});
