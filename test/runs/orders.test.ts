/** Runs that are ordered: what is kept of an order, what it becomes, what repeats it, and what its own process may add. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOfToken, runToken, runTokenHash } from '../../lib/base/run-token.ts';
import { newId } from '../../lib/base/ids.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import { appendEvents, reportLimits, type ReportedEvent } from '../../lib/runs/append.ts';
import { runWithToken } from '../../lib/runs/token.ts';
import { mostWaiting, orderRun, orderedDocument, orderedDocumentBytes, type RunDraft } from '../../lib/runs/orders.ts';
import { progressOf, readRun } from '../../lib/runs/progress.ts';
import { queuedRun, queuedRuns, queuedValue, unqueue } from '../../lib/runs/queue.ts';
import { replayRun } from '../../lib/runs/replay.ts';
import { runKeys, type Run } from '../../lib/runs/run.ts';
import { startRun } from '../../lib/runs/runner.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { createBench, diligent, projectDir, projectId, type Bench } from '../support/run-bench.ts';

const tenantId = newId('tenant', 1, new Uint8Array(10));

const draft = (more: Partial<RunDraft> = {}): RunDraft => ({ project_id: projectId, tenant_id: null, trigger: 'api', terms: {}, actor: 'token:ci', ...more });
const order = ({ deps, store }: Bench, more: Partial<RunDraft> = {}): ReturnType<typeof orderRun> => orderRun({ ...deps, root: store }, draft(more));
const runIn = async ({ store }: Bench, id: string): Promise<{ readonly run: Run; readonly revision: number }> => {
  const entry = await store.get(runKeys.run(id));
  assert.ok(entry !== undefined);
  return { run: readRun(entry.value), revision: entry.revision };
};

test('an order is a pending run with its document, in its tenant, on the queue and on record', async () => {
  const bench = createBench();
  await bench.store.transact([], [{ key: `tenants/${tenantId}`, value: { id: tenantId } }]);
  const { run, token } = await order(bench, { tenant_id: tenantId, document: 'Build a bridge\n', terms: { provider: 'claude', max_iterations: 2 } });
  const view = tenantView(bench.store, tenantId);
  assert.equal(await bench.store.get(runKeys.run(run.id)), undefined, 'nothing of a tenant lies at the root');
  const kept = readRun((await view.get(runKeys.run(run.id)))?.value ?? null);
  assert.deepEqual(kept, run);
  assert.deepEqual([kept.status, kept.trigger, kept.tenant_id, kept.started_at, kept.config['provider'], kept.config['max_iterations']], ['pending', 'api', tenantId, null, 'claude', 2]);
  assert.equal((await orderedDocument(view, kept))?.text, 'Build a bridge\n');
  assert.deepEqual(await queuedRuns(bench.store), [{ run_id: run.id, project_id: projectId, tenant_id: tenantId, ordered_by: 'token:ci' }]);
  assert.equal(runOfToken(token), run.id);
  assert.deepEqual(await runWithToken(bench.store, token), { run: run.id, tenant: tenantId });
  assert.equal(await runWithToken(bench.store, runToken(run.id, new Uint8Array(32))), undefined);
  assert.equal((await bench.store.get(runKeys.token(run.id)))?.value instanceof Object && JSON.stringify((await bench.store.get(runKeys.token(run.id)))?.value).includes(runTokenHash(token)), true);
  const all = JSON.stringify(await bench.store.list('', { limit: 100 })) + JSON.stringify(bench.recorded);
  assert.ok(!all.includes(token), 'the token itself is nowhere');
  assert.deepEqual(bench.recorded.map(({ event, actor, metadata }) => [event, actor, metadata?.['tenant_id']]), [['run.create', 'token:ci', tenantId]]);
});

test('one project does not keep the others waiting: so many of its runs wait at most, and the queue is read to its end', async () => {
  const bench = createBench();
  for (let n = 0; n < mostWaiting; n += 1) await order(bench);
  const recorded = bench.recorded.length;
  await assert.rejects(order(bench), { code: 'conflict', message: /100 runs of the project wait already/ });
  assert.equal(bench.recorded.length, recorded, 'refused before it is recorded');
  await order(bench, { tenant_id: tenantId });
  const entry = (at: number): { readonly key: string; readonly value: JsonValue } => {
    const run_id = newId('run', at, new Uint8Array(10));
    return { key: runKeys.queued(run_id), value: queuedValue({ run_id, project_id: projectId, tenant_id: null, ordered_by: 'token:ci' }) };
  };
  for (let from = 1; from < 1101; from += 100) await bench.store.transact([], Array.from({ length: 100 }, (_, at) => entry(from + at)));
  const queue = await queuedRuns(bench.store);
  assert.deepEqual([queue.length, queue.filter(({ tenant_id }) => tenant_id === tenantId).length], [1100 + mostWaiting + 1, 1]);
});

test('a run that has left the queue has no token any more', async () => {
  const bench = createBench();
  const { run } = await order(bench);
  await unqueue(bench.store, run.id);
  assert.equal(await bench.store.get(runKeys.token(run.id)), undefined);
});

test('a document that is none is refused before anything is recorded', async () => {
  const bench = createBench();
  for (const [document, code] of [['  \n', 'request.invalid'], ['a\0b', 'request.invalid'], ['\ud800', 'request.invalid'], ['é'.repeat(orderedDocumentBytes / 2 + 1), 'request.large']] as const) {
    await assert.rejects(order(bench, { document }), { code });
  }
  assert.equal(bench.recorded.length, 0);
  await order(bench, { document: 'é'.repeat(orderedDocumentBytes / 2) });
});

test('a document that was changed in the store is not worked on', async () => {
  const bench = createBench();
  const { run } = await order(bench, { document: 'Build it' });
  await bench.store.transact([], [{ key: runKeys.document(run.id), value: { text: 'Burn it', sha256: String((await import('../../lib/base/digest.ts')).sha256Hex('Burn it')) } }]);
  await assert.rejects(orderedDocument(bench.store, run), { code: 'store.corrupt' });
});

test('tokens of runs: what has another shape, or is for another run, is none', () => {
  const id = newId('run', 1, new Uint8Array(10));
  const token = runToken(id, new Uint8Array(32).fill(7));
  assert.equal(runOfToken(token), id);
  for (const wrong of [token.slice(0, -1), `${token}A`, token.replace('lokirun_', 'lokihook_'), token.replace('run_0', 'run_8'), '', 'lokirun_', token.replace('_0', '_!')]) assert.equal(runOfToken(wrong), undefined, wrong);
});

test('a pending run becomes the running one, under its own id, and is created once in the log', async () => {
  const bench = createBench();
  const { run } = await order(bench, { terms: { budget: 5 } });
  const ordered = await runIn(bench, run.id);
  const outcome = await startRun(bench.deps, { ...bench.order, trigger: 'api', ordered, circumstances: (provider) => ({ provider }) });
  assert.deepEqual([outcome.run.id, outcome.status, outcome.run.created_at, outcome.run.trigger], [run.id, 'completed', run.created_at, 'api']);
  assert.deepEqual(outcome.run.config['circumstances'], { provider: 'fake' });
  assert.deepEqual(bench.recorded.filter(({ event }) => event.startsWith('run.')).map(({ event }) => event), ['run.create', 'run.start', 'run.complete']);
});

test('a pending run that was cancelled meanwhile is not begun', async () => {
  const bench = createBench();
  const { run } = await order(bench);
  const ordered = await runIn(bench, run.id);
  const { cancelRun } = await import('../../lib/runs/cancel.ts');
  assert.equal((await cancelRun({ ...bench.deps, home: '/home/loki' }, run.id, 'user:boss')).status, 'cancelled');
  await assert.rejects(startRun(bench.deps, { ...bench.order, ordered }), { code: 'conflict' });
  assert.equal((await runIn(bench, run.id)).run.status, 'cancelled');
  assert.equal(bench.calls.length, 0);
});

const report = (message: string, more: Partial<ReportedEvent> = {}): ReportedEvent => ({ event_type: 'log', details: { message }, ...more });

test('events of a run\'s process and of the runner share one timeline without gap or double', async () => {
  let id = '';
  const bench = createBench({
    async answer(call) {
      const appending = Promise.all([1, 2, 3].map((n) => appendEvents(bench.deps, id, [report(`${call.phase} ${n}`), report('more')])));
      for (let at = 0; at < 5; at += 1) await bench.deps.timers.yield();
      await appending;
      return diligent(call);
    },
  });
  const { run } = await order(bench);
  id = run.id;
  await appendEvents(bench.deps, id, [report('before it begins', { phase: null })]);
  const outcome = await startRun(bench.deps, { ...bench.order, ordered: await runIn(bench, id) });
  assert.equal(outcome.status, 'completed');
  const events = await bench.events(id);
  assert.deepEqual(events.map(({ seq }) => seq), events.map((_, at) => at + 1));
  assert.equal(events.filter(({ details }) => details['reported_by'] === 'run').length, 1 + 6 * bench.calls.length);
  assert.equal(progressOf(outcome.run).last_seq, events.length);
  assert.equal(new Set(events.map((event) => event.id)).size, events.length);
  await assert.rejects(appendEvents(bench.deps, id, [report('late')]), { code: 'conflict', message: `Cannot append to the timeline of run ${id}: it is completed` });
});

test('what a run\'s process reports is bounded, redacted, and marked as its word', async () => {
  const bench = createBench();
  const { run } = await order(bench);
  const [event] = await appendEvents(bench.deps, run.id, [{ event_type: 'policy_decision', phase: 'ACT', details: { reported_by: 'the gate', decision: 'ALLOW', deep: [{ hunter2: ['say hunter2'] }] } }]);
  assert.deepEqual(event?.details, { reported_by: 'run', decision: 'ALLOW', deep: [{ '[redacted]': ['say [redacted]'] }] });
  await assert.rejects(appendEvents(bench.deps, run.id, [report('x'.repeat(reportLimits.bytes))]), { code: 'request.large' });
  await assert.rejects(appendEvents(bench.deps, run.id, Array.from({ length: reportLimits.events + 1 }, () => report('x'))), { code: 'request.invalid' });
  await assert.rejects(appendEvents(bench.deps, run.id, []), { code: 'request.invalid' });
  await assert.rejects(appendEvents(bench.deps, newId('run', 9, new Uint8Array(10)), [report('x')]), { code: 'not_found' });
  assert.equal((await bench.events(run.id)).length, 1);
});

test('what a full timeline takes no more of is not looked through either', async () => {
  const bench = createBench();
  const { run } = await order(bench);
  await bench.store.transact([], [{ key: runKeys.tail(run.id), value: { seq: reportLimits.timeline, time: null } }]);
  let looked = 0;
  const redact = (text: string): string => {
    looked += 1;
    return text;
  };
  await assert.rejects(appendEvents({ ...bench.deps, redact }, run.id, [{ event_type: 'log', details: { message: 'x' } }]), { code: 'request.large' });
  assert.equal(looked, 0);
});

test('a replay has the document, provider and terms of its parent, and says what is not the same', async () => {
  const bench = createBench();
  const first = await order(bench, { document: 'Build it', terms: { max_iterations: 2 } });
  await startRun(bench.deps, { ...bench.order, ordered: await runIn(bench, first.run.id), circumstances: () => ({ policy_digest: 'old', loki_version: '1' }), settings: { ...bench.order.settings, max_iterations: 2 } });
  const now = { circumstances: { policy_digest: 'new', loki_version: '1' }, settings: { gates: [], council: bench.order.settings.council }, commit: 'abc' };
  const { run, differences, token } = await replayRun({ ...bench.deps, root: bench.store }, { runId: first.run.id, actor: 'user:alice', dir: projectDir, now: async () => now });
  assert.deepEqual([run.status, run.trigger, run.parent_run_id, run.config['provider'], run.config['max_iterations']], ['pending', 'replay', first.run.id, 'fake', 2]);
  assert.deepEqual(differences, [
    { what: 'commit', parent: null, now: 'abc' },
    { what: 'policy_digest', parent: 'old', now: 'new' },
    { what: 'gates', parent: [...bench.order.settings.gates], now: [] },
  ]);
  assert.deepEqual(run.config['differences'], differences);
  assert.equal((await orderedDocument(bench.store, run))?.text, 'Build it');
  assert.equal(runOfToken(token), run.id);
  assert.equal(bench.recorded.at(-1)?.event, 'run.replay');
  assert.equal((await queuedRun(bench.store, run.id))?.traceparent, undefined);
});

test('an order and a replay remember the span of the request that they came in', async () => {
  const bench = createBench();
  const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: true, traceState: 'vendor=1' };
  const first = await order(bench, { document: 'Build it', trace });
  await startRun(bench.deps, { ...bench.order, ordered: await runIn(bench, first.run.id) });
  const { run } = await replayRun({ ...bench.deps, root: bench.store }, { runId: first.run.id, actor: 'user:alice', dir: projectDir, trace, now: async () => ({ circumstances: {}, settings: {}, commit: null }) });
  for (const id of [first.run.id, run.id]) {
    const queued = await queuedRun(bench.store, id);
    assert.deepEqual([queued?.traceparent, queued?.tracestate], ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'vendor=1']);
  }
  await bench.store.transact([], [{ key: runKeys.queued(run.id), value: { ...await queuedRun(bench.store, run.id), traceparent: 'x', tracestate: 'vendor=1' } }]);
  assert.deepEqual(Object.keys(await queuedRun(bench.store, run.id) ?? {}).sort(), ['ordered_by', 'project_id', 'run_id', 'tenant_id'], 'what is no context is none');
});

test('a run without a kept document, or that never began, is not replayed', async () => {
  const bench = createBench();
  const now = async () => ({ circumstances: {}, settings: {}, commit: null });
  const replay = (runId: string): Promise<unknown> => replayRun({ ...bench.deps, root: bench.store }, { runId, actor: 'user:alice', dir: projectDir, now });
  const { run } = await order(bench);
  await assert.rejects(replay(run.id), { code: 'conflict', message: `Cannot replay run ${run.id}: it has not begun, so there is nothing to repeat` });
  await startRun(bench.deps, { ...bench.order, ordered: await runIn(bench, run.id) });
  // Its copy is in the project: that of the order was the project's own.
  assert.ok(await replay(run.id));
  bench.deps.disk.remove(`${projectDir}/.loki/runs/${run.id}/prd.md`);
  await assert.rejects(replay(run.id), { code: 'conflict', message: `Cannot replay run ${run.id}: its copy of the PRD is gone` });
  await assert.rejects(replay(newId('run', 9, new Uint8Array(10))), { code: 'not_found' });
});
