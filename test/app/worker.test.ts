/** A worker over a real LOKI_HOME: runs that were ordered are driven to an end, whatever the order, the project or the worker is like. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId } from '../../lib/base/ids.ts';
import { superviseRuns } from '../../lib/app/run-workers.ts';
import { writeTenantOf } from '../../lib/gate/tenancy.ts';
import { readLease, takeLease } from '../../lib/runs/lease.ts';
import { orderRun, type RunDraft } from '../../lib/runs/orders.ts';
import { progressOf, readRun } from '../../lib/runs/progress.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { until } from '../support/ground.ts';
import { opened, order, runOf, see, usual, workerGround } from '../support/ordered-runs.ts';

test('a run that was ordered with a document is driven to its end in its tenant, and forgotten by workers', async (t) => {
  const made = await workerGround(t);
  const { host: { disk }, home, project } = made.installation();
  const tenant = newId('tenant', 1, new Uint8Array(10));
  writeTenantOf(disk, home, project?.id ?? '', tenant);
  const id = await order(made, { tenant_id: tenant, document: 'Build the other thing\n', terms: { max_iterations: 2 } });
  const seen = await see(made, id);
  assert.deepEqual(seen, { as: 'ended', run_id: id, status: 'completed', reason: 'every gate passed and the council approved' });
  const run = await runOf(made, id, tenant);
  assert.deepEqual([run.tenant_id, run.config['provider'], run.config['max_iterations'], progressOf(run).attempt], [tenant, 'command', 2, 1]);
  assert.equal(await see(made, id), undefined);
  await opened(made, async ({ root }) => {
    const left = (await root.list('', { limit: 1000 })).map(({ key }) => key).filter((key) => /run-(queue|tokens|leases)\//.test(key));
    assert.deepEqual(left, []);
  });
  const starts = made.entries().filter(({ event }) => event === 'run.start');
  assert.deepEqual(starts.map(({ actor, metadata }) => [actor, (metadata as { tenant_id?: string }).tenant_id]), [['token:ci', tenant]]);
});

const notHere = newId('project', 3, new Uint8Array(10));
const refusals: readonly (readonly [string, Partial<RunDraft>, readonly [file: string, text: string] | undefined, RegExp])[] = [
  ['a provider that is not set up here', { terms: { provider: 'codex' } }, undefined, /^Cannot order a run: the provider codex is not installed here$/],
  ['more rounds than the project allows', { terms: { max_iterations: 4 } }, undefined, /max_iterations is 4, and the project allows 3/],
  ['an empty document in the project', {}, ['prd.md', ' '], /prd\.md": it is empty$/],
  ['a policy that was changed', {}, ['.loki/policies.yaml', 'version: 1\n'], /^Cannot act in the enrolled project/],
  ['commands that nobody has confirmed', {}, ['.loki/config.yaml', 'runs: {gates: [{name: evil, command: "touch evil"}]}\n'], /nobody has confirmed the commands/],
  ['a project that is another tenant\'s', { tenant_id: newId('tenant', 2, new Uint8Array(10)) }, undefined, /belongs to another tenant now/],
  ['a project that is not here', { project_id: notHere }, undefined, /has no directory on this machine/],
];

test('a run that cannot begin fails with the reason; one that only has to wait waits', async (t) => {
  const made = await workerGround(t);
  for (const [what, more, file, reason] of refusals) {
    const path = join(made.project, file?.[0] ?? 'prd.md');
    const before = readFileSync(path, 'utf8');
    if (file !== undefined) writeFileSync(path, file[1]);
    const id = await order(made, more);
    assert.equal((await see(made, id))?.as, 'ended', what);
    const run = await runOf(made, id, more.tenant_id ?? null);
    assert.equal(run.status, 'failed', what);
    assert.match(String(progressOf(run).reason), reason);
    assert.equal(await see(made, id), undefined, what);
    writeFileSync(path, before);
  }
  assert.equal(made.entries().filter(({ event }) => event === 'run.fail').length, refusals.length);

  const id = await order(made);
  const { host, home, project } = made.installation();
  const lock = host.lock(join(home.run, `session-${project?.id ?? ''}`));
  await lock.acquire(1000);
  assert.equal((await see(made, id))?.as, 'later');
  lock.release();
  await opened(made, async ({ root }) => {
    const { facts } = host;
    await takeLease(root, id, 0, { holder: 'other', pid: facts.pid, process_start: facts.startOf(facts.pid) ?? '', hostname: facts.hostname, renewals: 0, lasts_ms: 60_000 });
  });
  assert.deepEqual(await see(made, id), { as: 'held', run_id: id, reason: 'another worker has its lease' });
  assert.equal((await runOf(made, id)).status, 'pending');
});

test('the control plane drives what is ordered; a worker that is killed is followed by one that takes its run up', async (t) => {
  const made = await workerGround(t, usual.replace('echo done', 'test $LOKI_PHASE != ACT || test -e again || { touch acting; exec sleep 30; }; echo done'));
  await opened(made, async ({ installation, root, record }) => {
    const workers = superviseRuns({ ...installation, surroundings: { ...installation.surroundings, env: made.env } }, root, record, 1);
    t.after(() => workers.stop());
    const { run } = await orderRun({ ...installation.host, record, root }, { project_id: installation.project?.id ?? '', tenant_id: null, trigger: 'api', terms: {}, actor: 'token:ci' });
    workers.nudge();
    await until('the agent acts', () => existsSync(join(made.project, 'acting')));
    const lease = readLease((await root.get(runKeys.lease(run.id)))?.value ?? null);
    made.write('project/again', '');
    process.kill(lease.pid, 'SIGKILL');
    await until('the run has ended', async () => readRun((await root.get(runKeys.run(run.id)))?.value ?? null).status === 'completed');
    await until('the worker has ended', () => workers.count() === 0);
    const ended = readRun((await root.get(runKeys.run(run.id)))?.value ?? null);
    assert.equal(progressOf(ended).attempt, 2);
    await workers.stop();
  });
  assert.equal(made.entries().filter(({ event, resource }) => event === 'session.resume' && String(resource).startsWith('session:')).length, 1);
});
