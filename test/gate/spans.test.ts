/** The spans of one decision: which there are, what stands on them, and what never does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action, PolicyDecision, Violation } from '../../lib/base/action.ts';
import { noSpan, type Span, type SpanContext, type Tracer } from '../../lib/base/trace.ts';
import { LokiError } from '../../lib/errors.ts';
import { createGate, noSpans, type ApprovalReply, type GateParts } from '../../lib/gate/gate.ts';
import { gateSpans } from '../../lib/gate/spans.ts';
import { spanNames } from '../../lib/telemetry/names.ts';
import { recordingTracer, type RecordedSpan, type RecordingTracer } from '../support/recording-tracer.ts';

const action: Action = { kind: 'exec', tool: 'Bash', command: 'git push --force secret-branch', session_id: 'ses_1' };
const digest = 'd'.repeat(64);
const hash = 'a'.repeat(64);
const parent: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true };

interface Bench {
  readonly tracer: RecordingTracer;
  readonly contexts: (SpanContext | undefined)[];
  decide(): Promise<unknown>;
}

function bench(decision: PolicyDecision['decision'], changes: Partial<GateParts> = {}, options: { readonly endsElsewhere?: boolean; readonly namesPeople?: boolean } = {}): Bench {
  const tracer = recordingTracer();
  const contexts: (SpanContext | undefined)[] = [];
  const { endsElsewhere = false, namesPeople = true } = options;
  const does = { ALLOW: 'warn', DENY: 'deny', REQUIRE_APPROVAL: 'require_approval' } as const;
  const violation: Violation = { name: 'no-force', action: does[decision], reason: 'it quotes git push --force secret-branch', place: 'policies.yaml:3:5' };
  const gate = createGate({
    judge: () => ({
      decision: { decision, allowed: decision === 'ALLOW', requiresApproval: decision === 'REQUIRE_APPROVAL', reason: 'it quotes secret-branch', violations: [violation], policy_digest: digest, duration_us: 12 },
      canonical: { command: 'git push --force secret-branch', kind: 'exec' }, actionHash: hash,
    }),
    record: async (_event, context) => { contexts.push(context); return { seq: 41, chain_hash: null }; },
    approve: async () => ({ outcome: 'rejected', id: 'apr_0', reason: 'user:bob: because of secret-branch', decidedBy: ['user:bob'] }),
    recordOutcome: async () => undefined, onFailure: 'block', actor: 'agent:claude', metadata: () => ({}), close: async () => undefined,
    spansOf: gateSpans({ tracer, namesPeople, begin: ({ tool = '' }) => ({ span: tracer.startSpan(spanNames.tool(tool), { parent }), endsElsewhere }) }),
    ...changes,
  });
  return { tracer, contexts, decide: () => gate.decide(action) };
}

const answering = (answer: Partial<ApprovalReply>): Partial<GateParts> => ({ approve: async () => ({ outcome: 'approved', id: 'apr_7', reason: 'user:alice', ...answer }) });
const told = ({ name, attributes, status, ended }: RecordedSpan): unknown => ({ name, attributes, status, ended });
const childOf = (span: RecordedSpan): string | undefined => span.options.parent?.spanId;

describe('a decision', () => {
  test('that denies has the span of the call, judged and recorded below it', async () => {
    const { tracer, contexts, decide } = bench('DENY');
    await decide();
    const said = { 'loki.policy.decision': 'DENY', 'loki.policy.rule': 'no-force', 'loki.policy.digest': digest, 'loki.action.hash': hash };
    assert.deepEqual(tracer.spans.map(told), [
      { name: 'execute_tool Bash', attributes: { ...said, 'loki.audit.seq': 41, 'error.type': 'denied' }, status: 'error', ended: true },
      { name: 'policy.evaluate', attributes: { 'loki.policy.point': 'pre_execution', 'loki.action.kind': 'exec', ...said }, status: 'unset', ended: true },
      { name: 'audit.append', attributes: { 'loki.audit.seq': 41 }, status: 'unset', ended: true },
    ]);
    const call = tracer.span('execute_tool Bash');
    assert.deepEqual(tracer.spans.map(childOf), [parent.spanId, call.context.spanId, call.context.spanId]);
    assert.deepEqual(contexts, [call.context]);
  });

  test('that needs a person tells of waiting, of the answer, and of who gave it', async () => {
    const { tracer, decide } = bench('REQUIRE_APPROVAL', answering({ decidedBy: ['user:alice', 'user:bob'], waitedMs: 1200 }));
    await decide();
    const answer = { 'loki.approval.id': 'apr_7', 'loki.approval.status': 'approved', 'loki.approval.approver': 'user:alice, user:bob' };
    assert.deepEqual(tracer.span('approval.wait').attributes, answer);
    assert.deepEqual(tracer.spans.map(({ name }) => name), ['execute_tool Bash', 'policy.evaluate', 'approval.wait', 'audit.append']);
    const { attributes, status } = tracer.span('execute_tool Bash');
    assert.deepEqual([attributes['loki.policy.decision'], attributes['loki.approval.approver'], attributes['error.type'], status], ['ALLOW', 'user:alice, user:bob', undefined, 'unset']);
  });

  test('names nobody where the log seals who it was', async () => {
    const { tracer, decide } = bench('REQUIRE_APPROVAL', answering({ decidedBy: ['user:alice'] }), { namesPeople: false });
    await decide();
    assert.deepEqual(tracer.span('approval.wait').attributes, { 'loki.approval.id': 'apr_7', 'loki.approval.status': 'approved' });
    assert.doesNotMatch(JSON.stringify(tracer.spans), /alice/);
  });

  for (const [outcome, expected] of [['pending', 'approval_required'], ['rejected', 'denied'], ['expired', 'denied']] as const) {
    test(`whose approval is ${outcome} ends the span of the call as ${expected}`, async () => {
      const { tracer, decide } = bench('REQUIRE_APPROVAL', answering({ outcome }), { endsElsewhere: true });
      await decide();
      const { attributes, status, ended } = tracer.span('execute_tool Bash');
      assert.deepEqual([attributes['loki.approval.status'], attributes['error.type'], status, ended], [outcome, expected, 'error', true]);
    });
  }

  test('that lets a call go ahead leaves its span to whoever hears of its end', async () => {
    const { tracer, decide } = bench('ALLOW', {}, { endsElsewhere: true });
    await decide();
    assert.deepEqual(tracer.spans.map(({ name, ended }) => [name, ended]), [['execute_tool Bash', false], ['policy.evaluate', true], ['audit.append', true]]);
  });

  test('that the agent puts to its person itself tells of no waiting', async () => {
    const { tracer, decide } = bench('REQUIRE_APPROVAL', answering({ outcome: 'handed', id: '' }), { endsElsewhere: true });
    await decide();
    assert.deepEqual(tracer.spans.filter(({ ended }) => ended).map(({ name }) => name), ['policy.evaluate', 'audit.append']);
    assert.equal(tracer.span('execute_tool Bash').status, 'unset');
  });

  test('that cannot be recorded, or asked about, says what kind of error it was and no more', async () => {
    const unwritable = (): never => { throw new LokiError('audit.unwritable', { attempted: 'record secret-branch', found: 'no space' }); };
    const unrecorded = bench('ALLOW', { record: async () => unwritable() });
    await unrecorded.decide();
    assert.deepEqual([unrecorded.tracer.span('audit.append').attributes, unrecorded.tracer.span('audit.append').status], [{ 'error.type': 'audit.unwritable' }, 'error']);
    assert.deepEqual([unrecorded.tracer.span('execute_tool Bash').attributes['error.type'], unrecorded.tracer.span('execute_tool Bash').attributes['loki.policy.rule']], ['denied', 'builtin:recording']);
    const unasked = bench('REQUIRE_APPROVAL', { approve: async () => { throw new Error('secret-branch'); } });
    await unasked.decide();
    assert.deepEqual(unasked.tracer.span('approval.wait').attributes, { 'error.type': 'internal' });
    for (const { tracer } of [unrecorded, unasked]) assert.doesNotMatch(JSON.stringify(tracer.spans), /secret-branch|git push/);
  });

  test('carries nothing of the command, nor of reasons that quote it', async () => {
    for (const decision of ['ALLOW', 'DENY', 'REQUIRE_APPROVAL'] as const) {
      const { tracer, decide } = bench(decision);
      await decide();
      assert.doesNotMatch(JSON.stringify(tracer.spans), /secret-branch|git push/);
    }
  });
});

test('a decision in a trace that is not kept is made and recorded all the same', async () => {
  const tracer = recordingTracer();
  const unkept = { ...parent, sampled: false };
  const { decide } = bench('ALLOW', { spansOf: gateSpans({ tracer, namesPeople: true, begin: () => ({ span: tracer.startSpan('execute_tool Bash', { parent: unkept }), endsElsewhere: false }) }) });
  assert.deepEqual(await decide(), { decision: 'ALLOW', allowed: true, reason: 'it quotes secret-branch', rule: 'no-force', audit_seq: 41 });
  assert.deepEqual(tracer.spans, []);
});

describe('a tracer of somebody else that fails', () => {
  const refuse = (): never => { throw new Error('the tracer is broken'); };
  const broken = (span: object): Span => new Proxy(noSpan, { get: (_target, name) => (name in span ? Reflect.get(span, name) : refuse) });
  const tracers: readonly (readonly [how: string, tracer: Tracer])[] = [
    ['at the beginning of a span', { startSpan: refuse }],
    ['by giving no span', { startSpan: () => undefined as unknown as Span }],
    ['at what is set on a span', { startSpan: () => broken({ context: parent }) }],
    ['at everything, its context too', { startSpan: () => new Proxy(noSpan, { get: refuse }) }],
  ];
  for (const [how, tracer] of tracers) {
    test(`${how} changes no decision and no record`, async () => {
      const begins = [() => ({ span: tracer.startSpan('execute_tool Bash'), endsElsewhere: false }), () => ({ span: noSpan, endsElsewhere: false })];
      for (const begin of begins) {
        for (const decision of ['ALLOW', 'DENY', 'REQUIRE_APPROVAL'] as const) {
          const events: unknown[] = [];
          const record: GateParts['record'] = async ({ event }) => { events.push(event); return { seq: 41, chain_hash: null }; };
          const expected = await bench(decision, { spansOf: () => noSpans, record }).decide();
          assert.deepEqual(await bench(decision, { spansOf: gateSpans({ tracer, namesPeople: true, begin }), record }).decide(), expected);
          assert.equal(events[0], events[1]);
        }
      }
    });
  }

  test('leaves what the work threw as it was', async () => {
    const spansOf = gateSpans({ tracer: { startSpan: () => broken({ context: parent }) }, namesPeople: true, begin: () => ({ span: noSpan, endsElsewhere: false }) });
    const unrecorded = await bench('ALLOW', { spansOf, record: async () => { throw new LokiError('audit.unwritable', { attempted: 'record', found: 'no space' }); } }).decide();
    assert.deepEqual([Reflect.get(Object(unrecorded), 'decision'), Reflect.get(Object(unrecorded), 'rule')], ['DENY', 'builtin:recording']);
    const unasked = await bench('REQUIRE_APPROVAL', { spansOf, approve: async () => { throw new Error('nobody is there'); } }).decide();
    assert.match(String(Reflect.get(Object(unasked), 'reason')), /asking for it failed: nobody is there/);
  });
});
