/** The spans of runs: which there are, what stands on them, and what of the agent's work does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpanContext } from '../../lib/base/trace.ts';
import { parseTraceparent, traceparentOf } from '../../lib/base/trace-context.ts';
import { spanIdOf, traceIdOf } from '../../lib/base/trace-ids.ts';
import { LokiError } from '../../lib/errors.ts';
import { agentEnvironment } from '../../lib/runs/environment.ts';
import { callEnvironment } from '../../lib/runs/command-provider.ts';
import { stopSession } from '../../lib/runs/control.ts';
import { resumeRun, startRun } from '../../lib/runs/runner.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { recordingTracer, type RecordedSpan, type RecordingTracer } from '../support/recording-tracer.ts';
import { allowed, createBench, decision, diligent, memoryDisk, resourcesAre, verdict, type Bench, type BenchOptions } from '../support/run-bench.ts';

interface Traced {
  readonly tracer: RecordingTracer;
  readonly bench: Bench;
}

function traced({ deps, ...options }: BenchOptions = {}): Traced {
  const tracer = recordingTracer();
  return { tracer, bench: createBench({ ...options, deps: { tracer, ...deps } }) };
}

/** The names, each indented below its parent, in the order they began. */
function tree({ spans }: RecordingTracer): readonly string[] {
  const depth = (span: RecordedSpan): number => {
    const above = spans.find(({ context }) => context.spanId === span.options.parent?.spanId);
    return above === undefined ? 0 : depth(above) + 1;
  };
  return spans.map((span) => `${'  '.repeat(depth(span))}${span.name}${span.status === 'error' ? ` ! ${String(span.attributes['error.type'])}` : ''}`);
}

const oneRound = [
  '  task',
  '    rarv.reason', '      policy.evaluate', '      policy.evaluate', '      agent.fake.reason',
  '    rarv.act', '      policy.evaluate', '      policy.evaluate', '      agent.fake.act',
  '    rarv.reflect', '      policy.evaluate', '      policy.evaluate', '      agent.fake.reflect',
  '    rarv.verify', '      quality_gate.tests',
  '      council.correctness', '        policy.evaluate', '        policy.evaluate', '        agent.fake.review',
  '      council.security', '        policy.evaluate', '        policy.evaluate', '        agent.fake.review',
];

test('a run is project, its round, its phases, and what each phase does', async () => {
  const { tracer, bench } = traced();
  const { run, session_id } = await startRun(bench.deps, bench.order);
  assert.deepEqual(tree(tracer), ['project', ...oneRound]);
  assert.ok(tracer.spans.every(({ ended }) => ended));
  assert.deepEqual(new Set(tracer.spans.map(({ context }) => context.traceId)), new Set([traceIdOf(`run:${run.id}`)]));
  assert.deepEqual(tracer.span('project').attributes, {
    'loki.project.id': run.project_id, 'loki.run.id': run.id, 'loki.session.id': session_id, 'loki.run.trigger': 'manual', 'loki.run.attempt': 1, 'loki.agent.type': 'fake', 'loki.status': 'completed',
  });
  const [task = ''] = taskIds(bench);
  assert.deepEqual(tracer.span('task').attributes, { 'loki.project.id': run.project_id, 'loki.run.id': run.id, 'loki.rarv.iteration': 1, 'loki.task.id': task, 'loki.task.ids': [task] });
  assert.deepEqual(tracer.span('rarv.verify').attributes, { 'loki.rarv.phase': 'VERIFY', 'loki.rarv.iteration': 1, 'loki.rarv.outcome': 'approve' });
});

function taskIds(bench: Bench): readonly string[] {
  return bench.recorded.filter(({ event }) => event === 'task.create').map(({ resource }) => String(resource).slice('task:'.length));
}

test('a call of the agent says who worked, as what, and what it used', async () => {
  const { tracer, bench } = traced({
    provider: { name: 'claude', model: 'opus' },
    answer: (call) => (call.phase === 'ACT' ? ['{"type":"usage","input_tokens":10,"output_tokens":5,"cache_read_tokens":100,"cache_write_tokens":7}', '{"type":"usage","input_tokens":1,"output_tokens":1}'] : diligent(call)),
  });
  const { session_id } = await startRun(bench.deps, bench.order);
  assert.deepEqual(tracer.span('agent.claude.act').attributes, {
    'loki.agent.type': 'claude', 'loki.agent.action': 'act', 'loki.agent.try': 1, 'loki.rarv.phase': 'ACT', 'loki.rarv.iteration': 1,
    'gen_ai.operation.name': 'invoke_agent', 'gen_ai.provider.name': 'anthropic', 'gen_ai.agent.name': 'claude', 'gen_ai.request.model': 'opus', 'gen_ai.conversation.id': session_id,
    'gen_ai.usage.input_tokens': 118, 'gen_ai.usage.output_tokens': 6, 'gen_ai.usage.cache_read.input_tokens': 100, 'gen_ai.usage.cache_creation.input_tokens': 7,
    'process.exit.code': 0,
  });
  assert.deepEqual(tracer.spans.filter(({ name }) => name === 'agent.claude.review').map(({ attributes }) => 'gen_ai.usage.input_tokens' in attributes), [false, false], 'what was not reported is not zero');
});

test('gates and reviewers say how they judged', async () => {
  const { tracer, bench } = traced({ settings: { max_iterations: 1 }, answer: (call) => (call.role === 'security' ? [verdict(call, 'reject', 'words of a reviewer')] : diligent(call)) });
  await startRun(bench.deps, bench.order);
  assert.deepEqual(tracer.span('quality_gate.tests').attributes, { 'loki.quality_gate.name': 'tests', 'loki.quality_gate.passed': true, 'loki.quality_gate.result': 'pass', 'process.exit.code': 0 });
  assert.deepEqual(tracer.span('council.security').attributes, { 'loki.council.reviewer': 'security', 'loki.council.verdict': 'reject', 'loki.council.approved': false });
  assert.equal(tracer.span('council.security').status, 'unset', 'a no is an answer');
});

test('a gate that fails is an error of the gate alone, and each round is a task of its own', async () => {
  const { tracer, bench } = traced({ answer: (call) => {
    if (call.phase === 'ACT') bench.gateExits.set('run-tests', call.iteration === 1 ? 3 : 0);
    return diligent(call);
  } });
  await startRun(bench.deps, bench.order);
  const rounds = tracer.spans.filter(({ name }) => name === 'task');
  assert.deepEqual(rounds.map(({ attributes, status }) => [attributes['loki.rarv.iteration'], status]), [[1, 'unset'], [2, 'unset']]);
  const [failed, passed] = tracer.spans.filter(({ name }) => name === 'quality_gate.tests');
  assert.deepEqual([failed?.status, failed?.message, failed?.attributes['error.type'], failed?.attributes['process.exit.code'], failed?.attributes['loki.quality_gate.result']], ['error', 'ended with exit code 3', 'exit', 3, 'fail']);
  assert.equal(passed?.status, 'unset');
  assert.deepEqual(tracer.spans.filter(({ name }) => name === 'rarv.verify').map(({ attributes }) => attributes['loki.rarv.outcome']), ['reject', 'approve']);
});

test('tries are spans side by side, and a phase that got its answer in the end is no error', async () => {
  let calls = 0;
  const { tracer, bench } = traced({ answer: (call) => {
    if (call.phase === 'ACT' && (calls += 1) === 1) return { failure: { cause: 'exit', message: 'it reported: words of the agent' }, exit: 1 };
    return diligent(call);
  } });
  await startRun(bench.deps, bench.order);
  const tries = tracer.spans.filter(({ name }) => name === 'agent.fake.act');
  assert.deepEqual(tries.map(({ attributes, status, message }) => [attributes['loki.agent.try'], attributes['process.exit.code'], attributes['error.type'], status, message]), [
    [1, 1, 'exit', 'error', 'the agent failed'], [2, 0, undefined, 'unset', undefined],
  ]);
  assert.equal(tracer.span('rarv.act').status, 'unset');
});

/** How a run fails, and what stands on its root. */
const failures: readonly (readonly [string, string, string, () => BenchOptions])[] = [
  ['whose rounds are used up', 'not_accepted', 'its rounds are used up', () => ({ settings: { max_iterations: 1 }, answer: (call) => (call.role === 'agent' ? diligent(call) : []) })],
  ['whose agent fails each time', 'provider_failed', 'the agent failed each time', () => ({ settings: { retries: 0 }, answer: () => ({ failure: { cause: 'time-out', message: 'words' } }) })],
  ['whose own budget is spent', 'budget_spent', 'its budget is spent', () => ({ settings: { budget: 100 } })],
  ['whose budget in the policy is spent', 'budget_spent', 'its budget is spent', () => ({ deps: { judgeResource: async () => resourcesAre(decision('DENY', 'monthly'), { budgets: ['monthly'] }) } })],
  ['whose provider is not allowed', 'denied', 'the policy does not allow it to go on', () => ({ deps: { judgeResource: async () => resourcesAre(decision('DENY', 'providers')) } })],
  ['whose prompt is not allowed', 'denied', 'the policy does not allow it to go on', () => ({ deps: { judgeData: async () => decision('DENY', 'secrets') } })],
];
for (const [name, type, message, options] of failures) {
  test(`a run ${name} ends as an error of the type ${type}`, async () => {
    const { tracer, bench } = traced(options());
    const { status } = await startRun(bench.deps, bench.order);
    const root = tracer.span('project');
    assert.deepEqual([status, root.attributes['loki.status'], root.status, root.attributes['error.type'], root.message], ['failed', 'failed', 'error', type, message]);
    assert.ok(tracer.spans.every(({ ended }) => ended));
  });
}

test('a run that somebody stops ends as cancelled, and so does what was going on', async () => {
  const { tracer, bench } = traced({ provider: { async invoke(call) {
    void stopSession({ ...bench.deps, home: '/home/loki' }, bench.order.project, 'user:alice');
    await new Promise<void>((resolve) => { call.signal.addEventListener('abort', () => resolve(), { once: true }); });
    return { failure: { cause: 'stopped', message: 'it was stopped' }, exit: null, stdoutBytes: 0, stderrBytes: 0, stderrTail: '', durationMs: 1 };
  } } });
  assert.equal((await startRun(bench.deps, bench.order)).status, 'cancelled');
  assert.deepEqual(tree(tracer), ['project ! cancelled', '  task ! cancelled', '    rarv.reason ! cancelled', '      policy.evaluate', '      policy.evaluate', '      agent.fake.reason ! stopped']);
});

test('a decision says point, rule and policy, and its span took as long as judging did', async () => {
  const { tracer, bench } = traced({ deps: { judgeResource: async () => resourcesAre({ ...decision('DENY', 'providers'), duration_us: 2500 }) } });
  await startRun(bench.deps, bench.order);
  const [data, resource] = tracer.spans.filter(({ name }) => name === 'policy.evaluate');
  assert.deepEqual(data?.attributes, { 'loki.policy.point': 'data', 'loki.policy.decision': 'ALLOW', 'loki.policy.digest': allowed.policy_digest });
  assert.deepEqual(resource?.attributes, { 'loki.policy.point': 'resource', 'loki.policy.decision': 'DENY', 'loki.policy.rule': 'providers', 'loki.policy.digest': allowed.policy_digest });
  assert.equal(resource?.status, 'unset', 'a no is an answer');
  const startTime = resource?.options.startTime ?? 0;
  assert.ok(Math.abs(bench.deps.clock.now() - 2.5 - startTime) < 60_000, String(startTime));
});

test('waiting for a person is a span with who decided', async () => {
  const { tracer, bench } = traced({ deps: {
    judgeDeployment: async () => decision('REQUIRE_APPROVAL', 'release'),
    approve: async () => ({ approved: true, reason: 'user:alice: words of a person', approval_id: 'apr_1', outcome: 'approved', decidedBy: ['user:alice', 'user:bob'] }),
  } });
  await startRun(bench.deps, bench.order);
  const { attributes, options, ended } = tracer.span('approval.wait');
  assert.deepEqual(attributes, { 'loki.approval.id': 'apr_1', 'loki.approval.status': 'approved', 'loki.approval.approver': 'user:alice, user:bob' });
  assert.equal(options.parent?.spanId, tracer.span('rarv.verify').context.spanId);
  assert.ok(ended);
});

const caller: SpanContext = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: true, traceState: 'vendor=1' };

test('a run that somebody asked for within a trace belongs to it, the agent and the gates too', async () => {
  const gates: (string | undefined)[] = [];
  const plain = createBench();
  const { tracer, bench } = traced({ deps: { spawn: { ...plain.deps.spawn, run(request) {
    gates.push(request.env['TRACEPARENT']);
    return plain.deps.spawn.run(request);
  } } } });
  const { run } = await startRun(bench.deps, { ...bench.order, trace: caller });
  const root = tracer.span('project');
  assert.deepEqual([root.options.parent, root.context.traceId], [caller, caller.traceId]);
  assert.equal(root.context.spanId, spanIdOf(caller.traceId, `run:${run.id}:1`));
  const agents = tracer.spans.filter(({ name }) => name.startsWith('agent.'));
  assert.deepEqual(bench.calls.map((call) => callEnvironment(call)['TRACEPARENT']), agents.map(({ context }) => traceparentOf(context)));
  assert.equal(new Set(bench.calls.map((call) => callEnvironment(call)['TRACEPARENT'])).size, bench.calls.length, 'each call hands down a span of its own');
  assert.deepEqual(gates, [traceparentOf(tracer.span('quality_gate.tests').context)]);
});

test('without telemetry the trace that was handed down is handed on as it came, and none is made up', async () => {
  const bench = createBench();
  await startRun(bench.deps, { ...bench.order, trace: caller });
  assert.deepEqual(new Set(bench.calls.map((call) => JSON.stringify([callEnvironment(call)['TRACEPARENT'], callEnvironment(call)['TRACESTATE']]))), new Set([JSON.stringify([traceparentOf(caller), 'vendor=1'])]));
  const alone = createBench();
  await startRun(alone.deps, alone.order);
  assert.ok(alone.calls.every((call) => !('TRACEPARENT' in callEnvironment(call))));
});

test('where traces are not handed on, neither agents nor gates are told of theirs', async () => {
  const gates: (string | undefined)[] = [];
  const plain = createBench();
  const tracer = recordingTracer();
  const bench = createBench({ deps: { tracer: { ...tracer, isPrivate: true }, spawn: { ...plain.deps.spawn, run(request) {
    gates.push(request.env['TRACEPARENT']);
    return plain.deps.spawn.run(request);
  } } } });
  await startRun(bench.deps, bench.order);
  assert.ok(tracer.spans.length > 3 && bench.calls.length > 0);
  assert.ok(bench.calls.every((call) => !('TRACEPARENT' in callEnvironment(call))));
  assert.deepEqual(gates, [undefined]);
});

test('a trace that is not kept is handed down as one', async () => {
  const { tracer, bench } = traced();
  await startRun(bench.deps, { ...bench.order, trace: { ...caller, sampled: false } });
  assert.equal(tracer.spans.length, 0);
  assert.deepEqual(new Set(bench.calls.map((call) => parseTraceparent(callEnvironment(call)['TRACEPARENT'])?.sampled)), new Set([false]));
});

test('an agent gets no trace out of our own environment: it works in the span of its call', () => {
  const env = agentEnvironment({ PATH: '/bin', TRACEPARENT: traceparentOf(caller), TRACESTATE: 'vendor=1' }, { home: '/loki', hook: [], sessionId: 'ses_1', runId: 'run_1', projectDir: '/p' });
  assert.ok(!('TRACEPARENT' in env) && !('TRACESTATE' in env));
});

test('what a run records is told in the span in which it was recorded', async () => {
  const told = new Map<string, string | undefined>();
  const { tracer, bench } = traced({ wrapRecord: (record) => (event, context) => {
    told.set(event.event, tracer.spans.find((span) => span.context.spanId === context?.spanId)?.name);
    return record(event);
  } });
  await startRun(bench.deps, bench.order);
  assert.deepEqual(Object.fromEntries(told), {
    'session.start': 'project', 'run.create': 'project', 'run.start': 'project', 'policy.allow': 'council.security', 'agent.spawn': 'agent.fake.review', 'agent.complete': 'agent.fake.review',
    'task.create': 'task', 'task.start': 'rarv.act', 'gate.pass': 'quality_gate.tests', 'council.verdict': 'council.security', 'task.complete': 'task', 'run.complete': 'task', 'session.complete': 'task',
  });
});

/** Dies in the middle of ACT, as a killed process does. */
function dying(store: ReturnType<typeof createMemoryStore>, disk: ReturnType<typeof memoryDisk>): Traced {
  let dead = false;
  return traced({
    store, deps: { disk },
    answer: (call) => {
      if (call.phase === 'ACT') dead = true;
      return diligent(call);
    },
    wrapRecord: (record) => (event) => (dead ? Promise.reject(new LokiError('io.failed', { attempted: 'write', found: 'the process is dead' })) : record(event)),
  });
}

for (const [name, trace] of [['begun by nobody in particular', undefined], ['ordered within a trace', caller]] as const) {
  test(`a run ${name} that another process takes up goes on in its trace, linked to the work before`, async () => {
    const [store, disk] = [createMemoryStore(), memoryDisk()];
    const first = dying(store, disk);
    await assert.rejects(startRun(first.bench.deps, { ...first.bench.order, trace }), { code: 'io.failed' });
    const second = traced({ store, deps: { disk } });
    const resumer: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true };
    const { run } = await resumeRun(second.bench.deps, { ...second.bench.order, trace: resumer });
    const [before, after] = [first.tracer.span('project'), second.tracer.span('project')];
    assert.equal(after.context.traceId, trace?.traceId ?? traceIdOf(`run:${run.id}`));
    assert.equal(after.context.traceId, before.context.traceId);
    assert.notEqual(after.context.spanId, before.context.spanId);
    assert.deepEqual(after.links.map(({ context }) => context.spanId), [before.context.spanId, resumer.spanId]);
    assert.deepEqual(after.options.parent?.spanId, trace?.spanId);
    assert.equal(after.options.parent?.traceState, trace?.traceState);
    assert.deepEqual([before.attributes['loki.run.attempt'], after.attributes['loki.run.attempt']], [1, 2]);
    assert.deepEqual([before.status, before.attributes['error.type'], before.attributes['loki.status']], ['error', 'io.failed', undefined]);
    assert.deepEqual(tree(second.tracer).slice(0, 3), ['project', '  task', '    rarv.act'], 'from the phase it was in');
  });
}

test('nothing of what is worked on stands on a span, in an event, a link or a message', async () => {
  const secret = 'canary-4711';
  const words = [`{"type":"task","title":"${secret}","description":"${secret}"}`, `{"type":"log","level":"info","message":"${secret}"}`, `{"type":"action","kind":"exec","target":"${secret}","decision":"ALLOW"}`, secret];
  const { tracer, bench } = traced({
    settings: { max_iterations: 1, retries: 1 },
    deps: {
      judgeData: async () => ({ ...decision('REQUIRE_APPROVAL', 'data-rule'), reason: secret }),
      approve: async () => ({ approved: true, reason: secret, approval_id: 'apr_1' }),
    },
    answer: (call) => {
      if (call.role !== 'agent') return [verdict(call, 'reject', secret)];
      if (call.phase === 'REFLECT') return { failure: { cause: 'exit', message: secret }, exit: 1, stderrTail: secret };
      return words;
    },
  });
  bench.gateExits.set('run-tests', 1);
  await startRun(bench.deps, { ...bench.order, prd: { ...bench.order.prd, text: secret, path: `/${secret}` } });
  assert.ok(bench.recorded.some((entry) => JSON.stringify(entry).includes(secret)), 'the canary was at work');
  assert.ok(tracer.spans.length > 10);
  assert.ok(!JSON.stringify(tracer.spans).includes(secret));
});
