/** What it takes once an approver key exists: to decide, and to use what was decided. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createApprovals, type Approvals } from '../../lib/approvals/approvals.ts';
import { approvalKeys, type ApprovalView, type OnTimeout } from '../../lib/approvals/approval.ts';
import type { ApprovalEvent } from '../../lib/approvals/ports.ts';
import { atTerminal, type Approver, type FreshProof, type Prove } from '../../lib/approvals/proof.ts';
import { decisionText, entryText } from '../../lib/approvals/statement.ts';
import { textOfDecision, type DecideRequest } from '../../lib/approvals/steps.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import type { Store } from '../../lib/store/store.ts';
import { push } from '../support/approval-request.ts';
import { looseApprover } from '../support/approver.ts';
import { createTestRandom, realTimers } from '../support/fakes.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const start = Date.UTC(2026, 1, 15, 14, 30);
const minute = 60_000;

interface Room {
  readonly approvals: Approvals;
  readonly store: Store;
  readonly events: ApprovalEvent[];
  /** Sets the clock, in milliseconds after the start. */
  at(milliseconds: number): void;
  /** A decision with the proof that `prove` gives of it. */
  signed(view: ApprovalView, prove: Prove, said: Partial<DecideRequest> & { readonly by: string }): DecideRequest;
  readonly alice: Prove;
  readonly bob: Prove;
  readonly mallory: Prove;
}

/** Approvals where `keys` people of alice and bob have keys. */
function room(keys = 2): Room {
  const store = createMemoryStore();
  const events: ApprovalEvent[] = [];
  let now = start;
  const people = [looseApprover('user:alice', 1, () => now), looseApprover('user:bob', 2, () => now)];
  const approverKeys: readonly Approver[] = people.slice(0, keys).map(({ approver }) => approver);
  const approvals = createApprovals({
    objects: store, record: async (event) => { events.push(event); }, clock: { now: () => now, monotonic: () => performance.now() }, timers: realTimers, random: createTestRandom(),
    isApprover: (by, list) => list.includes(by), approverKeys: () => approverKeys,
  });
  return {
    approvals, store, events, at(milliseconds) { now = start + milliseconds; },
    signed(view, prove, said) {
      const request = { id: view.id, outcome: 'approve', ...said } as const;
      return { ...request, proof: said.proof ?? prove((at) => textOfDecision(view, request, at)) };
    },
    alice: people[0]?.prove ?? atTerminal, bob: people[1]?.prove ?? atTerminal, mallory: looseApprover('user:alice', 99, () => now).prove,
  };
}

/** Writes into the store by hand, as any program of the same user can. */
async function forge({ store }: Room, id: string, changed: Partial<ApprovalView>): Promise<void> {
  const object = await store.get(approvalKeys.approval(id));
  assert.ok(object !== undefined && isPlainObject(object.value));
  await store.transact([], [{ key: approvalKeys.approval(id), value: JSON.parse(JSON.stringify({ sealed: null, shown: { ...object.value['shown'] as ApprovalView, ...changed } })) }]);
}

const isNoProof = { code: 'auth.proof' };

test('a yes needs a signature of the approver\'s own key over this decision; a confirmation is no proof any more', async () => {
  const here = room();
  const { approvals, signed, alice, bob, mallory, events } = here;
  const view = await approvals.request(push);
  const other = await approvals.request({ ...push, actionHash: 'b'.repeat(64) });
  const good = signed(view, alice, { by: 'user:alice' });
  const refused: readonly (readonly [string, DecideRequest])[] = [
    ['a confirmation', { ...good, proof: { kind: 'terminal' } }],
    ['the key of somebody else', signed(view, bob, { by: 'user:alice' })],
    ['in the name of somebody else', signed(view, alice, { by: 'user:bob' })],
    ['a key that is not in force', signed(view, mallory, { by: 'user:alice' })],
    ['a signature of another approval', { ...good, proof: signed(other, alice, { by: 'user:alice' }).proof }],
    ['a signature of the other outcome', { ...good, proof: signed(view, alice, { by: 'user:alice', outcome: 'reject' }).proof }],
    ['a signature of another reason', { ...good, reason: 'for a good cause' }],
    ['no signature', { ...good, proof: { ...good.proof, signature: '' } as FreshProof }],
    ['another time than the signed one', { ...good, proof: { ...good.proof, at: '2026-02-15T14:30:01.000Z' } as FreshProof }],
    ['no time', { ...good, proof: { ...good.proof, at: 'now' } as FreshProof }],
  ];
  for (const [what, request] of refused) await assert.rejects(approvals.decide(request), isNoProof, what);
  assert.deepEqual(events.map(({ event }) => event), ['approval.request', 'approval.request']);
  const approved = await approvals.decide(good);
  assert.deepEqual([approved.status, approved.decisions[0]?.proof], ['approved', 'approver_key']);
  assert.deepEqual(events.at(-1)?.details['proof'], good.proof);
  assert.equal((await approvals.consume(push))?.id, view.id);
});

test('a proof counts for two minutes, and once', async () => {
  const { approvals, signed, alice, at } = room();
  const view = await approvals.request(push);
  const early = signed(view, alice, { by: 'user:alice' });
  at(2 * minute + 1);
  await assert.rejects(approvals.decide(early), { code: 'auth.proof', message: /counts for two minutes$/ });
  at(-31_000);
  await assert.rejects(approvals.decide(early), isNoProof, 'made in the future');
  at(minute);
  await approvals.decide(early);
  await assert.rejects(approvals.decide(early), { code: 'approval.decided' });
});

test('a plain no takes no passphrase, but a proof that comes along must be right', async () => {
  const { approvals, signed, alice, mallory } = room();
  const view = await approvals.request(push);
  await assert.rejects(approvals.decide(signed(view, mallory, { by: 'user:alice', outcome: 'reject' })), isNoProof);
  assert.equal((await approvals.decide({ id: view.id, outcome: 'reject', by: 'user:alice', proof: { kind: 'terminal' } })).status, 'rejected');
  const second = await approvals.request(push);
  assert.equal((await approvals.decide(signed(second, alice, { by: 'user:alice', outcome: 'reject' }))).status, 'rejected');
});

test('an approval written into the store by hand is a no, recorded as such, and asked for anew', async () => {
  const here = room();
  const { approvals, signed, alice, mallory, events, at } = here;
  const decided_at = new Date(start).toISOString();
  const forged = { status: 'approved', decided_at, use_before: new Date(start + 10 * minute).toISOString() } as const;
  const signature = (proof: FreshProof): object => (proof.kind === 'approver_key' ? { signature: { key: proof.key, at: proof.at, value: proof.signature } } : {});
  const yes = { by: 'user:alice', outcome: 'approve', reason: null, at: decided_at } as const;
  for (const [what, decisions] of [
    ['nobody', () => []],
    ['a confirmation', () => [{ ...yes, proof: 'terminal' }]],
    ['a word', () => [{ ...yes, proof: 'approver_key' }]],
    ['another key', (view: ApprovalView) => [{ ...yes, proof: 'approver_key', ...signature(signed(view, mallory, { by: 'user:alice' }).proof) }]],
    ['a no turned round', (view: ApprovalView) => [{ ...yes, proof: 'approver_key', ...signature(signed(view, alice, { by: 'user:alice', outcome: 'reject' }).proof) }]],
    ['the agent', () => [{ ...yes, by: 'agent:claude', proof: 'approver_key' }]],
  ] as const) {
    const view = await approvals.request(push);
    await forge(here, view.id, { ...forged, decisions: decisions(view) as ApprovalView['decisions'] });
    const answer = await approvals.obtain(push, 0);
    assert.equal(answer.outcome, 'pending', what);
    assert.notEqual(answer.id, view.id);
    const told = events.find(({ event, resource }) => event === 'approval.reject' && resource === `approval:${view.id}`);
    assert.equal(told?.actor, 'system');
    assert.match(String(told.details['cause']), /^it is kept as approved, and (?:does not carry the signatures|not by the 1 who must approve)/, what);
    assert.equal((await approvals.get(view.id))?.status, 'rejected');
    await approvals.decide({ id: answer.id, outcome: 'reject', by: 'user:bob', proof: { kind: 'terminal' } });
  }
  const used = await approvals.request(push);
  await approvals.decide(signed(used, alice, { by: 'user:alice' }));
  assert.ok(await approvals.consume(push));
  at(11 * minute);
  await forge(here, used.id, { status: 'approved', decided_at: new Date(start + 11 * minute).toISOString(), use_before: new Date(start + 20 * minute).toISOString(), used_at: null });
  assert.equal(await approvals.consume(push), undefined, 'a yes that was used is put back');
  assert.match(String(events.at(-1)?.details['cause']), /its newest signature is too old$/);
});

test('who waits is told why, when what is approved meanwhile is not given', async () => {
  const here = room();
  const view = await here.approvals.request(push);
  const waiting = here.approvals.obtain(push, 5000);
  await delay(30);
  await forge(here, view.id, { status: 'approved', decided_at: view.created_at, use_before: view.expires_at });
  assert.deepEqual(await waiting, { id: view.id, outcome: 'rejected', reason: 'it is kept as approved, and not by the 1 who must approve' });
});

test('two people must sign where two are required; one person counts once, whoever else says so', async () => {
  const here = room();
  const { approvals, signed, alice, bob } = here;
  const wanted = { ...push, required: 2, approvers: ['user:alice', 'user:bob'] };
  const view = await approvals.request(wanted);
  assert.equal((await approvals.decide(signed(view, alice, { by: 'user:alice' }))).status, 'pending');
  await assert.rejects(approvals.decide(signed(view, alice, { by: 'user:alice', reason: 'again' })), { code: 'approval.decided' });
  assert.equal((await approvals.decide(signed(view, bob, { by: 'user:bob' }))).status, 'approved');
  assert.ok(await approvals.consume(wanted));
  const second = await approvals.request(wanted);
  await approvals.decide(signed(second, alice, { by: 'user:alice' }));
  const [first] = (await approvals.get(second.id))?.decisions ?? [];
  assert.ok(first !== undefined);
  await forge(here, second.id, { status: 'approved', required: 1, decided_at: first.at, use_before: second.expires_at, decisions: [first, first] });
  assert.equal(await approvals.consume(wanted), undefined, 'what the policy requires counts, not what is kept');
});

test('a yes of somebody whom the policy does not name is none, whatever list is kept', async () => {
  const here = room();
  const wanted = { ...push, approvers: ['user:bob'] };
  const view = await here.approvals.request(wanted);
  const yes = here.signed(view, here.alice, { by: 'user:alice' });
  await assert.rejects(here.approvals.decide(yes), { code: 'auth.forbidden' });
  await forge(here, view.id, { approvers: [] });
  await here.approvals.decide(yes);
  assert.equal(await here.approvals.consume(wanted), undefined);
});

test('an approval that was given and not used is taken back with --override, by somebody with a proof, and with nothing less', async () => {
  const { approvals, signed, alice, bob, events } = room();
  const wanted = { ...push, approvers: ['user:alice'] };
  const view = await approvals.request(wanted);
  await approvals.decide(signed(view, alice, { by: 'user:alice' }));
  const no = { by: 'user:bob', outcome: 'reject', reason: 'the release is off' } as const;
  await assert.rejects(approvals.decide({ id: view.id, ...no, proof: { kind: 'terminal' } }), { code: 'auth.forbidden' }, 'a plain no, by somebody who is not on the list');
  await assert.rejects(approvals.decide({ id: view.id, ...no, override: true, proof: { kind: 'terminal' } }), isNoProof);
  await assert.rejects(approvals.decide({ ...signed(view, bob, no), override: true }), isNoProof, 'a signature of a plain no');
  await assert.rejects(approvals.decide(signed(view, bob, { ...no, by: 'agent:claude', override: true })), { code: 'auth.forbidden' });
  const taken = await approvals.decide(signed(view, bob, { ...no, override: true }));
  assert.deepEqual([taken.status, taken.use_before, events.at(-1)?.event, events.at(-1)?.actor], ['rejected', null, 'approval.override', 'user:bob']);
  assert.equal(await approvals.consume(wanted), undefined);
  await assert.rejects(approvals.decide(signed(view, bob, { ...no, override: true })), { code: 'approval.decided' });
});

test('time is a yes only where the policy of now says so, and the log says it in so many words', async () => {
  const here = room(0);
  const { approvals, events, at } = here;
  const wanted = { ...push, onTimeout: 'approve' as OnTimeout };
  const view = await approvals.request(wanted);
  at(30 * minute);
  assert.equal((await approvals.wait(view.id, 0)).status, 'approved');
  const told = events.at(-1);
  assert.deepEqual([told?.event, told?.actor, told?.details['approvals']], ['approval.approve', 'system', 0]);
  assert.equal(told?.details['cause'], 'nobody decided in time, and the organisation\'s policy says auto_approve_on_timeout');
  assert.deepEqual(await approvals.obtain(wanted, 0), { id: view.id, outcome: 'approved', reason: 'nobody decided in time, and the organisation\'s policy says auto_approve_on_timeout' });

  const plain = await approvals.request(push);
  await forge(here, plain.id, { on_timeout: 'approve' });
  at(61 * minute);
  assert.equal((await approvals.wait(plain.id, 0)).status, 'approved', 'as it is kept');
  assert.equal(await approvals.consume(push), undefined, 'and it is not used: the policy does not say so');

  const early = await approvals.request(wanted);
  await forge(here, early.id, { status: 'approved', decided_at: early.created_at, use_before: early.expires_at });
  assert.equal(await approvals.consume(wanted), undefined, 'nor before the time is over');
});

test('no two decisions, and no decision and entry, have one text', () => {
  const view = { id: 'apr_1', action_hash: 'h', policy_digest: 'p' };
  const said = { outcome: 'approve', by: 'user:a', reason: null, at: '2026-02-15T14:30:00.000Z' } as const;
  const texts = [
    decisionText(view, said), decisionText({ ...view, id: 'apr_2' }, said), decisionText({ ...view, action_hash: 'i' }, said), decisionText({ ...view, policy_digest: 'q' }, said),
    decisionText(view, { ...said, outcome: 'reject' }), decisionText(view, { ...said, outcome: 'override' }), decisionText(view, { ...said, by: 'user:b' }),
    decisionText(view, { ...said, reason: 'x' }), decisionText(view, { ...said, at: '2026-02-15T14:30:00.001Z' }),
    entryText({ event: 'apr_1', actor: 'approve', resource: 'h', details: {} }, said.at),
  ];
  assert.equal(new Set(texts).size, texts.length);
  assert.equal(texts[0]?.split('\n').length, 9);
  assert.throws(() => decisionText(view, { ...said, by: 'user:a\nuser:b' }), { code: 'request.invalid' });
});
