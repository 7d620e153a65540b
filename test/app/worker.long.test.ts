/** Workers that are killed, stopped in their tracks and sent away: the run they had comes to one whole end. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { startControlPlane } from '../../lib/app/control-plane.ts';
import { facts } from '../../lib/host/facts.ts';
import { progressOf, readRun } from '../../lib/runs/progress.ts';
import { readLease } from '../../lib/runs/lease.ts';
import { runKeys, type Run } from '../../lib/runs/run.ts';
import { endOf, startChild } from '../support/child.ts';
import { until, type Ground } from '../support/ground.ts';
import { opened, order, runOf, usual, workerGround } from '../support/ordered-runs.ts';
import { assertWhole } from '../support/run-check.ts';

/** It says that it acts, and waits until it may go on. */
const waits = usual.replace('echo done', 'test $LOKI_PHASE != ACT || { echo $$ > acting; while ! test -e again; do sleep 0.1; done; }; echo done');
/** It takes a moment for everything. */
const slow = usual.replace('echo done', 'sleep 0.2; echo done');

function whole(made: Ground): Promise<Run> {
  const events = made.entries().map((entry) => entry as unknown as Pick<AuditEvent, 'event' | 'details'>);
  return opened(made, ({ root }) => assertWhole(root, events));
}

test('a worker that is killed again and again loses nothing, and its run completes', async (t) => {
  const made = await workerGround(t, slow);
  const id = await order(made, { document: 'Build it\n' });
  let kills = 0;
  for (let tries = 0; tries < 12; tries += 1) {
    const child = made.start(['worker', '--run', id]);
    const timer = setTimeout(() => { child.kill('SIGKILL'); }, 500 + tries * 120);
    const { signal, exit, stderr } = await endOf(child);
    clearTimeout(timer);
    if (signal === 'SIGKILL') {
      kills += 1;
      if (kills < 4) continue;
      // Five deaths over one run close it: the next one is let work.
      const last = await made.process(['worker', '--run', id]);
      assert.equal(last.exit, 0, last.stderr);
    } else assert.equal(exit, 0, stderr);
    break;
  }
  assert.ok(kills >= 1);
  assert.equal((await whole(made)).status, 'completed');
});

test('a worker that stands still past its lease is ended, and another goes on with its run', async (t) => {
  const made = await workerGround(t, waits);
  const id = await order(made);
  const args = [made.home, made.project, id, '1000'];
  const first = startChild('test/support/worker-process', args);
  t.after(() => { first.kill('SIGKILL'); });
  const acting = join(made.project, 'acting');
  await until('the agent acts', () => existsSync(acting));
  first.kill('SIGSTOP');
  rmSync(acting);
  const second = startChild('test/support/worker-process', args);
  t.after(() => { second.kill('SIGKILL'); });
  await until('the agent acts for the second worker', () => existsSync(acting));
  assert.equal(facts.startOf(first.pid ?? 0), undefined, 'the first worker is gone');
  first.kill('SIGCONT');
  made.write('project/again', '');
  const { exit, stdout } = await endOf(second);
  assert.equal(exit, 0);
  assert.match(stdout, /^(held\n)+(later\n|held\n)*ended\n$/);
  const run = await whole(made);
  assert.deepEqual([run.status, progressOf(run).attempt], ['completed', 2]);
});

test('many workers over one queue drive each run once, one at a time in a project', async (t) => {
  const made = await workerGround(t, usual.replace('echo done', 'test ! -e busy || touch twice; touch busy; sleep 0.05; rm busy; echo done'));
  const ids = [await order(made), await order(made), await order(made)];
  const ends = await Promise.all([1, 2, 3, 4].map(() => made.process(['worker', '--once', '--quiet'])));
  for (const { exit, stderr } of ends) assert.ok(exit === 0 || exit === 1, stderr);
  for (const id of ids) {
    assert.equal((await runOf(made, id)).status, 'completed');
    const of = made.entries().filter(({ resource }) => resource === `run:${id}`).map(({ event }) => event);
    assert.deepEqual([of.filter((event) => event === 'run.start').length, of.filter((event) => event === 'run.complete').length], [1, 1]);
  }
  assert.ok(!existsSync(join(made.project, 'twice')), 'two agents never worked in it at once');
});

test('a worker that is told to end lets go of its run within seconds; the next takes it up, or closes it where the project wants that', async (t) => {
  for (const [config, status, reason] of [[waits, 'completed', /approved/], [`${waits}  take_up: false\n`, 'failed', /runs\.take_up is off/]] as const) {
    const made = await workerGround(t, config);
    const id = await order(made);
    const child = made.start(['worker', '--json']);
    await until('the agent acts', () => existsSync(join(made.project, 'acting')));
    const began = performance.now();
    child.kill('SIGTERM');
    await endOf(child);
    assert.ok(performance.now() - began < 5_000);
    assert.equal((await runOf(made, id)).status, 'running');
    made.write('project/again', '');
    const next = await made.process(['worker', '--once', '--json']);
    assert.equal(next.exit, 0, next.stderr);
    const run = await runOf(made, id);
    assert.equal(run.status, status);
    assert.match(String(progressOf(run).reason), reason);
  }
});

test('a control plane that stops lets go of its runs, and the next one takes them up', async (t) => {
  const made = await workerGround(t, `${waits}enterprise: {server: {port: 0}}\n`);
  const id = await order(made);
  const here = made.installation();
  const installation = { ...here, surroundings: { ...here.surroundings, env: made.env } };
  const first = await startControlPlane(installation);
  await until('the agent acts', () => existsSync(join(made.project, 'acting')));
  const lease = await opened(made, async ({ root }) => readLease((await root.get(runKeys.lease(id)))?.value ?? null));
  await first.stop();
  assert.equal(facts.startOf(lease.pid), undefined);
  made.write('project/again', '');
  const second = await startControlPlane(installation);
  t.after(() => second.stop());
  await until('the run has ended', async () => (await opened(made, async ({ root }) => readRun((await root.get(runKeys.run(id)))?.value ?? null))).status === 'completed');
  assert.equal((await whole(made)).status, 'completed');
});
