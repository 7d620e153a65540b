/**
 * The process dies at every single write, before it or just after it, and another takes the run up: the timeline has no
 * gap and no double, follows the table, and ends; nothing is left half-recorded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { AuditEvent, Recorder } from '../../lib/audit/entry.ts';
import type { Store } from '../../lib/store/store.ts';
import { progressOf, readRun } from '../../lib/runs/progress.ts';
import { resumeRun, startRun } from '../../lib/runs/runner.ts';
import type { ProviderRequest } from '../../lib/runs/deps.ts';
import type { Provider } from '../../lib/runs/provider.ts';
import { latestRun, pauseSession, resumeSession, sessionStatus, stopSession, waitForEnd } from '../../lib/runs/control.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { hasEnded } from '../../lib/runs/state.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { createBench, diligent, memoryDisk, verdict, type Answering, type Bench } from '../support/run-bench.ts';
import { assertWhole, onlyRun, walk } from '../support/run-check.ts';
import { stride } from '../support/long.ts';

/** Dies at one write, and stays dead. */
interface Fuse {
  left: number;
  readonly when: 'before' | 'after';
}

function spend(fuse: Fuse): 'live' | 'last' | 'dead' {
  fuse.left -= 1;
  return fuse.left > 0 ? 'live' : fuse.left === 0 ? 'last' : 'dead';
}

async function through<T>(fuse: Fuse, write: () => Promise<T>): Promise<T> {
  const life = spend(fuse);
  if (life === 'live') return write();
  if (life === 'last' && fuse.when === 'after') await write();
  throw new LokiError('io.failed', { attempted: 'write', found: 'the process is dead' });
}

const twoRounds: Answering = (call) => (call.role === 'security' && call.iteration === 1 ? [verdict(call, 'reject', 'not yet')] : diligent(call));

function benchOver(store: Store, disk: ReturnType<typeof memoryDisk>, log: AuditEvent[], fuse: Fuse | undefined): Bench {
  const keep: Recorder = async (event) => {
    log.push(event);
    return { seq: log.length, chain_hash: null };
  };
  return createBench({
    store, answer: twoRounds, deps: { disk },
    wrapStore: (inner) => (fuse === undefined ? inner : { ...inner, transact: (checks, changes) => through(fuse, () => inner.transact(checks, changes)) }),
    wrapRecord: () => (fuse === undefined ? keep : (event) => through(fuse, () => keep(event))),
  });
}

async function countWrites(): Promise<number> {
  const fuse: Fuse = { left: Number.MAX_SAFE_INTEGER, when: 'before' };
  const bench = benchOver(createMemoryStore(), memoryDisk(), [], fuse);
  assert.equal((await startRun(bench.deps, bench.order)).status, 'completed');
  return Number.MAX_SAFE_INTEGER - fuse.left;
}

/** Runs until the fuse burns. Whether the run got to its end before. */
async function dieAt(bench: Bench, begin: 'start' | 'resume'): Promise<void> {
  const running = begin === 'start' ? startRun(bench.deps, bench.order) : resumeRun(bench.deps, bench.order);
  await assert.rejects(running, { code: 'io.failed', message: 'Cannot write: the process is dead' });
}

for (const when of ['before', 'after'] as const) {
  test(`a process that dies just ${when} any one write leaves a run that is taken up and completes`, async () => {
    const writes = await countWrites();
    assert.ok(writes > 60, `only ${writes} writes`);
    for (let at = 1; at <= writes; at += stride(3)) {
      const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
      await dieAt(benchOver(store, disk, log, { left: at, when }), 'start');
      const healthy = benchOver(store, disk, log, undefined);
      const left = await onlyRun(store);
      const resumable = left !== undefined && !hasEnded(left.status);
      if (resumable) assert.equal((await resumeRun(healthy.deps, healthy.order)).status, 'completed');
      else await assert.rejects(resumeRun(healthy.deps, healthy.order), { code: 'run.none' });
      if (left === undefined) assert.equal((await startRun(healthy.deps, healthy.order)).status, 'completed');
      assert.equal((await assertWhole(store, log)).status, 'completed');
    }
  });
}

test('a process that dies again while it takes a run up leaves it whole too', async () => {
  const writes = await countWrites();
  for (let at = 4; at < writes; at += 11) {
    for (let again = 1; again < 30; again += 8) {
      const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
      await dieAt(benchOver(store, disk, log, { left: at, when: 'before' }), 'start');
      if (await onlyRun(store) === undefined) continue;
      const second = benchOver(store, disk, log, { left: again, when: 'after' });
      await resumeRun(second.deps, second.order).catch((error: unknown) => assert.ok(error instanceof LokiError && error.code === 'io.failed'));
      const healthy = benchOver(store, disk, log, undefined);
      const left = await onlyRun(store);
      if (left !== undefined && !hasEnded(left.status)) await resumeRun(healthy.deps, healthy.order);
      const run = await assertWhole(store, log);
      assert.equal(run.status, 'completed');
    }
  }
});

test('a new start closes the run of a dead process as failed, with the reason', async () => {
  const writes = await countWrites();
  for (let at = 5; at < writes; at += 9) {
    const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
    await dieAt(benchOver(store, disk, log, { left: at, when: 'before' }), 'start');
    const dead = await onlyRun(store);
    const healthy = benchOver(store, disk, log, undefined);
    const outcome = await startRun(healthy.deps, healthy.order);
    assert.equal(outcome.status, 'completed');
    if (dead === undefined) continue;
    const closed = readRun((await store.get(runKeys.run(dead.id)))?.value ?? null);
    assert.equal(closed.status, 'failed');
    assert.equal(progressOf(closed).reason, 'process died (4711)');
    assert.equal(walk(await healthy.events(dead.id)).status, 'failed');
  }
});

test('stop closes the run of a dead process as cancelled', async () => {
  const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
  await dieAt(benchOver(store, disk, log, { left: 20, when: 'before' }), 'start');
  const { deps, order } = benchOver(store, disk, log, undefined);
  const facts = { ...deps.facts, startOf: () => undefined };
  assert.equal((await sessionStatus({ ...deps, facts }, order.project))?.state, 'dead');
  assert.equal(await stopSession({ ...deps, facts, home: order.home }, order.project, 'user:boss'), 'closed');
  assert.equal((await assertWhole(store, log)).status, 'cancelled');
});

test('a dead session cannot be paused, and resuming it says that it must be taken up', async () => {
  const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
  await dieAt(benchOver(store, disk, log, { left: 20, when: 'before' }), 'start');
  const { deps, order } = benchOver(store, disk, log, undefined);
  const dead = { ...deps, facts: { ...deps.facts, startOf: () => 'another process with this pid' } };
  await assert.rejects(pauseSession(dead, order.project, 'user:x'), { code: 'run.none', message: 'Cannot pause the session in "/work-tree/project": its process 4711 died', hint: 'Take the run up again with: loki resume' });
  assert.equal((await resumeSession(dead, order.project, 'user:x')).dead, true);
  assert.equal(await waitForEnd({ ...dead, timers: deps.timers }, order.project, 0), true);
});

test('a session on another machine is taken to live', async () => {
  const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
  await dieAt(benchOver(store, disk, log, { left: 20, when: 'before' }), 'start');
  const { deps, order } = benchOver(store, disk, log, undefined);
  const elsewhere = { ...deps, facts: { ...deps.facts, hostname: 'elsewhere', startOf: () => undefined } };
  assert.equal((await sessionStatus(elsewhere, order.project))?.state, 'running');
  assert.equal((await latestRun(store, order.project))?.status, 'running');
  assert.equal(await latestRun(store, { ...order.project, id: 'prj_other' }), undefined);
});

test('a run is taken up with the settings and the provider it began with', async () => {
  const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
  const first = benchOver(store, disk, log, { left: 20, when: 'before' });
  const provider = (about: ProviderRequest): Provider => ({ ...first.order.provider(about), name: 'first', kept: { script: '/s.json' } });
  await assert.rejects(startRun(first.deps, { ...first.order, provider, settings: { ...first.order.settings, max_iterations: 7 } }), { code: 'io.failed' });
  const healthy = benchOver(store, disk, log, undefined);
  let began: ProviderRequest['began'] = null;
  const outcome = await resumeRun(healthy.deps, { ...healthy.order, provider(about) { began = about.began; return healthy.order.provider(about); } });
  assert.deepEqual(began, { name: 'first', kept: { script: '/s.json' } });
  assert.equal(outcome.run.config['max_iterations'], 7);
});

test('a run whose copy of the document was changed is not taken up', async () => {
  const [store, disk, log] = [createMemoryStore(), memoryDisk(), new Array<AuditEvent>()];
  await dieAt(benchOver(store, disk, log, { left: 20, when: 'before' }), 'start');
  const run = await onlyRun(store);
  const { deps, order } = benchOver(store, disk, log, undefined);
  disk.replace('/', `${order.project.dir}/.loki/runs/${run?.id ?? ''}/prd.md`, new TextEncoder().encode('Build something else'), 0o600);
  await assert.rejects(resumeRun(deps, order), { code: 'conflict', message: `Cannot go on with run ${run?.id ?? ''}: its copy of the PRD was changed` });
});
