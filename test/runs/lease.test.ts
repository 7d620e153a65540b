/** Leases of workers: one holder, told by watching and not by clocks, and nothing written by who lost it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLease, takeLease, watchLeases, type LeaseRecord } from '../../lib/runs/lease.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { startRun } from '../../lib/runs/runner.ts';
import { createTestClock } from '../support/fakes.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { createBench, diligent } from '../support/run-bench.ts';

const runId = 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const record = (holder: string, more: Partial<LeaseRecord> = {}): LeaseRecord => ({ holder, pid: 1, process_start: 'a', hostname: 'here', renewals: 0, lasts_ms: 1000, ...more });
const facts = { hostname: 'here', startOf: (pid: number) => (pid === 1 ? 'a' : undefined) };

test('of many that reach for a lease one gets it', async () => {
  const store = createMemoryStore();
  const taken = await Promise.all(Array.from({ length: 50 }, (_, n) => takeLease(store, runId, 0, record(`w${n}`))));
  assert.equal(taken.filter((lease) => lease !== undefined).length, 1);
});

test('a lease runs out by standing still while somebody watches, whatever the wall clock does', async () => {
  const [store, clock] = [createMemoryStore(), createTestClock()];
  const lease = await takeLease(store, runId, 0, record('w'));
  const leases = watchLeases(facts, clock);
  assert.deepEqual(await leases.look(store, runId), { free: false });
  for (const jump of [86_400_000, -86_400_000 * 2]) {
    clock.set(clock.now() + jump);
    assert.deepEqual(await leases.look(store, runId), { free: false });
  }
  for (let round = 0; round < 5; round += 1) {
    clock.advance(900);
    assert.deepEqual(await leases.look(store, runId), { free: false });
    assert.equal(await lease?.renew(), true);
  }
  assert.deepEqual(await leases.look(store, runId), { free: false });
  clock.advance(1001);
  const stand = await leases.look(store, runId);
  assert.ok(stand.free && stand.stuck?.holder === 'w');
});

test('an onlooker that slept past everything looks again before it judges', async () => {
  const [store, clock] = [createMemoryStore(), createTestClock()];
  const lease = await takeLease(store, runId, 0, record('w'));
  const leases = watchLeases(facts, clock);
  await leases.look(store, runId);
  await lease?.renew();
  clock.advance(3_600_000);
  assert.deepEqual(await leases.look(store, runId), { free: false });
});

test('the lease of a process that died is free at once; one of another machine is waited for', async () => {
  const [store, clock] = [createMemoryStore(), createTestClock()];
  await takeLease(store, runId, 0, record('w', { pid: 2 }));
  const stand = await watchLeases(facts, clock).look(store, runId);
  assert.ok(stand.free && stand.stuck === undefined);
  assert.ok(await takeLease(store, runId, stand.revision, record('v', { hostname: 'elsewhere', pid: 2 })) !== undefined);
  assert.deepEqual(await watchLeases(facts, clock).look(store, runId), { free: false });
});

test('who lost a lease neither renews it nor releases it', async () => {
  const store = createMemoryStore();
  const lost = await takeLease(store, runId, 0, record('w'));
  const entry = await store.get(runKeys.lease(runId));
  const held = await takeLease(store, runId, entry?.revision ?? 0, record('v'));
  assert.equal(await lost?.renew(), false);
  await lost?.release();
  await assert.rejects(lost?.check() ?? Promise.resolve(), { code: 'conflict' });
  assert.equal(readLease((await store.get(runKeys.lease(runId)))?.value ?? null).holder, 'v');
  assert.equal(await held?.renew(), true);
  await held?.release();
  assert.equal(await store.get(runKeys.lease(runId)), undefined);
});

test('a run whose worker lost its lease in the middle writes nothing more, and its agent is ended', async () => {
  const store = createMemoryStore();
  const lease = await takeLease(store, runId, 0, record('w'));
  let atLoss = 0;
  const bench = createBench({
    store, deps: { fence: async () => lease?.check() ?? assert.fail() },
    async answer(call) {
      if (call.phase === 'ACT') {
        await takeLease(store, runId, (await store.get(runKeys.lease(runId)))?.revision ?? 0, record('v'));
        atLoss = await store.revision();
      }
      return diligent(call);
    },
  });
  await assert.rejects(startRun(bench.deps, bench.order), { code: 'conflict', message: `Cannot write run ${runId}: this worker does not have its lease any more` });
  assert.equal(await store.revision(), atLoss);
  assert.equal(bench.calls.at(-1)?.phase, 'ACT');
});

test('renewing a lease while the run is written gets in nobody\'s way', async () => {
  const store = createMemoryStore();
  const lease = await takeLease(store, runId, 0, record('w'));
  const bench = createBench({
    store, deps: { fence: async () => {
      const check = await lease?.check();
      await lease?.renew();
      if (Math.random() < 0.7) return lease?.check() ?? assert.fail();
      return check ?? assert.fail();
    } },
  });
  assert.equal((await startRun(bench.deps, bench.order)).status, 'completed');
});

test('letting go of a run leaves it as a death would, in the middle of a call and while it is paused', async () => {
  const letGo = new AbortController();
  const bench = createBench({ answer: (call) => {
    if (call.phase === 'ACT') letGo.abort();
    return diligent(call);
  } });
  await assert.rejects(startRun(bench.deps, { ...bench.order, relinquish: letGo.signal }), { code: 'interrupted' });
  const [run] = await bench.store.list(runKeys.runs, { limit: 2 });
  assert.equal((run?.value as { status?: string } | undefined)?.status, 'running');
  assert.ok(await bench.store.get(runKeys.session(bench.order.project.id)) !== undefined);
  const { resumeRun } = await import('../../lib/runs/runner.ts');
  const again = createBench({ store: bench.store, deps: { disk: bench.deps.disk } });
  assert.equal((await resumeRun(again.deps, again.order)).status, 'completed');
});
