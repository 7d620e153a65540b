import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action, PolicyDecision, Violation } from '../../lib/base/action.ts';
import { LokiError } from '../../lib/errors.ts';
import type { AuditEvent, AuditReceipt } from '../../lib/audit/entry.ts';
import { createGate, type ApprovalReply, type GateParts, type Judgement } from '../../lib/gate/gate.ts';
import type { ActionOutcome, Gate } from '../../lib/gate/reply.ts';

const action: Action = { kind: 'exec', command: 'git push', session_id: 'ses_1' };
const digest = 'd'.repeat(64);

function judged(decision: PolicyDecision['decision'], violations: readonly Violation[] = [], changes: Partial<PolicyDecision> = {}): Judgement {
  return {
    decision: {
      decision, allowed: decision === 'ALLOW', requiresApproval: decision === 'REQUIRE_APPROVAL', reason: `the policy says ${decision}`,
      violations, policy_digest: digest, duration_us: 12, ...changes,
    },
    canonical: { command: 'git push', kind: 'exec' },
    actionHash: 'a'.repeat(64),
  };
}

function violation(name: string, does: Violation['action'], more: Partial<Violation> = {}): Violation {
  return { name, action: does, reason: `${name} objects`, place: 'policies.yaml:3:5', ...more };
}

interface Bench {
  readonly gate: Gate;
  readonly recorded: AuditEvent[];
  readonly asked: Judgement[];
  readonly outcomes: ActionOutcome[];
  closed: number;
}

function bench(judgement: Judgement | Error, changes: Partial<GateParts> = {}): Bench {
  const recorded: AuditEvent[] = [];
  const asked: Judgement[] = [];
  const outcomes: ActionOutcome[] = [];
  const made: { closed: number } = { closed: 0 };
  const gate = createGate({
    judge() {
      if (judgement instanceof Error) throw judgement;
      return judgement;
    },
    record: async (event) => {
      recorded.push(event);
      return { seq: 40 + recorded.length, chain_hash: 'c'.repeat(64) };
    },
    approve: async (question) => {
      asked.push(question);
      return { outcome: 'rejected', id: 'apr_0', reason: 'nobody is asked in this test' };
    },
    recordOutcome: async (outcome) => { outcomes.push(outcome); },
    onFailure: 'block', actor: 'agent:claude', metadata: () => ({ project_id: 'prj_1' }),
    close: async () => { made.closed += 1; },
    ...changes,
  });
  return Object.assign(made, { gate, recorded, asked, outcomes });
}

function answering(outcome: ApprovalReply['outcome'], reason: string): Partial<GateParts> {
  return { approve: async () => ({ outcome, id: 'apr_7', reason }) };
}

describe('the gate records exactly what it answers', () => {
  test('an allowed action', async () => {
    const { gate, recorded, asked } = bench(judged('ALLOW'));
    assert.deepEqual(await gate.decide(action), { decision: 'ALLOW', allowed: true, reason: 'the policy says ALLOW', audit_seq: 41 });
    assert.deepEqual(recorded, [{
      event: 'policy.allow', actor: 'agent:claude', resource: 'session:ses_1',
      details: { action: { command: 'git push', kind: 'exec' }, decision: 'ALLOW', reason: 'the policy says ALLOW', policy_digest: digest, duration_us: 12 },
      metadata: { project_id: 'prj_1' },
    }]);
    assert.deepEqual(asked, []);
  });

  test('an allowed action with a warning names the rule that warned', async () => {
    const { gate, recorded } = bench(judged('ALLOW', [violation('noisy', 'warn')]));
    const reply = await gate.decide(action);
    assert.deepEqual([reply.allowed, reply.rule], [true, 'noisy']);
    assert.equal(recorded[0]?.event, 'policy.warn');
    assert.deepEqual(recorded[0]?.details?.['violations'], [{ name: 'noisy', action: 'warn', reason: 'noisy objects', place: 'policies.yaml:3:5' }]);
  });

  test('a denied action', async () => {
    const finding = { rule: 'aws-key', line: 1, column: 1, offset: 0, length: 20, confidence: 'high', fingerprint: '0'.repeat(16) } as const;
    const { gate, recorded, asked } = bench(judged('DENY', [
      violation('watched', 'deny', { monitor: true }), violation('asks', 'require_approval'), violation('secrets', 'deny', { findings: [finding] }),
    ]));
    assert.deepEqual(await gate.decide(action), { decision: 'DENY', allowed: false, reason: 'the policy says DENY. Why in full: loki policy explain --seq 41', rule: 'secrets', audit_seq: 41 });
    assert.equal(recorded[0]?.event, 'policy.deny');
    assert.deepEqual(recorded[0]?.details?.['violations'], [
      { name: 'watched', action: 'deny', reason: 'watched objects', place: 'policies.yaml:3:5', monitor: true },
      { name: 'asks', action: 'require_approval', reason: 'asks objects', place: 'policies.yaml:3:5' },
      { name: 'secrets', action: 'deny', reason: 'secrets objects', place: 'policies.yaml:3:5', findings: [finding] },
    ]);
    assert.deepEqual(asked, [], 'what is denied is put to nobody');
  });

  test('an action without a session has no resource', async () => {
    const { gate, recorded } = bench(judged('ALLOW'));
    await gate.decide({ kind: 'other' });
    assert.equal(Object.hasOwn(recorded[0] ?? {}, 'resource'), false);
  });

  test('audit switched off: the answer stands and has no sequence number', async () => {
    const { gate } = bench(judged('ALLOW'), { record: async () => ({ seq: null, chain_hash: null }) });
    assert.deepEqual(await gate.decide(action), { decision: 'ALLOW', allowed: true, reason: 'the policy says ALLOW', audit_seq: null });
  });
});

describe('an action that needs approval', () => {
  const asking = judged('REQUIRE_APPROVAL', [violation('publishing', 'require_approval')]);
  const rows: readonly (readonly [ApprovalReply['outcome'], string, PolicyDecision['decision'], AuditEvent['event'], string])[] = [
    ['approved', 'user:alice', 'ALLOW', 'policy.allow', 'Approved (apr_7): user:alice'],
    ['rejected', 'not on a Friday', 'DENY', 'policy.deny', 'the policy says REQUIRE_APPROVAL. Approval apr_7 was rejected: not on a Friday'],
    ['expired', 'nobody decided', 'DENY', 'policy.deny', 'the policy says REQUIRE_APPROVAL. Approval apr_7 was not given in time: nobody decided'],
    ['pending', 'it waits', 'REQUIRE_APPROVAL', 'policy.approval_required', 'the policy says REQUIRE_APPROVAL. Approval apr_7 is needed: loki approve apr_7'],
  ];
  for (const [outcome, said, decision, event, reason] of rows) {
    test(`${outcome}: ${decision}`, async () => {
      const { gate, recorded } = bench(asking, answering(outcome, said));
      assert.deepEqual(await gate.decide(action), { decision, allowed: decision === 'ALLOW', reason, rule: 'publishing', approval_id: 'apr_7', audit_seq: 41 });
      assert.deepEqual(recorded.map((entry) => [entry.event, entry.details?.['decision'], entry.details?.['reason'], entry.details?.['rule'], entry.details?.['approval_id']]), [
        [event, decision, reason, 'publishing', 'apr_7'],
      ]);
    });
  }

  test('asking that fails is a no, and is recorded as an error of the policy', async () => {
    const { gate, recorded } = bench(asking, { approve: () => Promise.reject(new Error('the store is gone')) });
    const reply = await gate.decide(action);
    assert.deepEqual([reply.decision, reply.allowed, reply.reason], ['DENY', false, 'the policy says REQUIRE_APPROVAL. It needs approval, and asking for it failed: the store is gone']);
    assert.deepEqual(recorded.map(({ event }) => event), ['policy.error']);
  });

  test('the question is the judgement itself, so that a yes holds for that action and no other', async () => {
    const { gate, asked } = bench(asking);
    await gate.decide(action);
    assert.deepEqual(asked, [asking]);
  });
});

describe('what cannot be judged or recorded does not happen', () => {
  test('a judge that throws is a no, with its reason and its hint', async () => {
    const { gate, recorded } = bench(new LokiError('project.changed', { attempted: 'act in the enrolled project "/p"', found: '.loki/policies.yaml is missing' }));
    const reply = await gate.decide(action);
    assert.deepEqual([reply.decision, reply.allowed, reply.rule], ['DENY', false, 'project.changed']);
    assert.match(reply.reason, /^Cannot act in the enrolled project "\/p": \.loki\/policies\.yaml is missing\. Look at the difference/);
    assert.equal(recorded[0]?.event, 'policy.error');
    assert.deepEqual(recorded[0]?.details?.['action'], { kind: 'exec' }, 'what could not be judged is not written down whole');
  });

  test('a judge that has a defect is a no as well', async () => {
    const { gate } = bench(new TypeError('x is undefined'));
    const reply = await gate.decide(action);
    assert.deepEqual([reply.decision, reply.rule, reply.reason], ['DENY', 'internal', 'Cannot judge the action: x is undefined']);
  });

  test('a decision made without a policy to name is an error of the policy', async () => {
    const { gate, recorded } = bench(judged('DENY', [], { policy_digest: '' }));
    await gate.decide(action);
    assert.equal(recorded[0]?.event, 'policy.error');
  });

  const full = new LokiError('audit.unwritable', { attempted: 'record policy.allow', found: 'ENOSPC', hint: 'The disk is full; free some space' });

  test('an allowed action that cannot be recorded is refused', async () => {
    const { gate } = bench(judged('ALLOW'), { record: () => Promise.reject(full) });
    assert.deepEqual(await gate.decide(action), {
      decision: 'DENY', allowed: false, rule: 'builtin:recording', audit_seq: null,
      reason: 'The decision could not be recorded, so the action is refused: Cannot record policy.allow: ENOSPC. The disk is full; free some space',
    });
  });

  test('on whose word an approval rests, and how long they were waited for, is recorded', async () => {
    const told = { decidedBy: ['user:alice', 'user:bob'], waitedMs: 1200 };
    const details = async (outcome: ApprovalReply['outcome'], more: Partial<ApprovalReply>): Promise<unknown> => {
      const { gate, recorded } = bench(judged('REQUIRE_APPROVAL'), { approve: async () => ({ outcome, id: 'apr_7', reason: 'x', ...more }) });
      await gate.decide(action);
      return [recorded[0]?.details?.['decided_by'], recorded[0]?.details?.['waited_ms']];
    };
    assert.deepEqual(await details('approved', told), [['user:alice', 'user:bob'], 1200]);
    assert.deepEqual(await details('rejected', told), [['user:alice', 'user:bob'], 1200]);
    // Nobody decided.
    assert.deepEqual(await details('pending', { waitedMs: 0 }), [undefined, 0]);
    assert.deepEqual(await details('handed', { id: '' }), [undefined, undefined]);
  });

  test('an approved action that cannot be recorded is refused, and still names its approval', async () => {
    const { gate } = bench(judged('REQUIRE_APPROVAL'), { ...answering('approved', 'user:alice'), record: () => Promise.reject(full) });
    const reply = await gate.decide(action);
    assert.deepEqual([reply.decision, reply.allowed, reply.approval_id], ['DENY', false, 'apr_7']);
  });

  test('with on_failure: warn the decision stands, and says that it is not recorded', async () => {
    for (const decision of ['ALLOW', 'DENY'] as const) {
      const { gate } = bench(judged(decision), { record: () => Promise.reject(full), onFailure: 'warn' });
      assert.deepEqual(await gate.decide(action), {
        decision, allowed: decision === 'ALLOW', audit_seq: null, reason: `the policy says ${decision} (NOT RECORDED: Cannot record policy.allow: ENOSPC)`,
      });
    }
  });
});

test('nothing is answered before the entry is on the medium', async () => {
  let written: (receipt: AuditReceipt) => void = () => assert.fail('nothing was recorded');
  const { gate } = bench(judged('ALLOW'), { record: () => new Promise((resolve) => { written = resolve; }) });
  let answered = false;
  const reply = gate.decide(action).then((value) => { answered = true; return value; });
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(answered, false);
  written({ seq: 9, chain_hash: '' });
  assert.equal((await reply).audit_seq, 9);
});

test('an outcome goes to the agent chain, and a chain that cannot be written says so', async () => {
  const outcome = { action, ref: 41, ok: false, exit: 3, bytes: 10 };
  const { gate, outcomes } = bench(judged('ALLOW'));
  await gate.report(outcome);
  assert.deepEqual(outcomes, [outcome]);
  const broken = bench(judged('ALLOW'), { recordOutcome: () => Promise.reject(new Error('no space')) });
  await assert.rejects(broken.gate.report(outcome), /no space/);
});

test('closing closes the parts', async () => {
  const made = bench(judged('ALLOW'));
  await made.gate.close();
  assert.equal(made.closed, 1);
});
