import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApprovalEvent } from '../../lib/approvals/ports.ts';
import { createApprovals } from '../../lib/approvals/approvals.ts';
import type { Approvals, ApprovalRequest, ApprovalsOptions } from '../../lib/approvals/approvals.ts';
import type { FreshProof } from '../../lib/approvals/proof.ts';
import type { DecideRequest } from '../../lib/approvals/steps.ts';
import type { Recorder } from '../../lib/audit/entry.ts';
import { LokiError } from '../../lib/errors.ts';
import type { Store } from '../../lib/store/store.ts';
import { push } from '../support/approval-request.ts';
import { createTestRandom, realTimers } from '../support/fakes.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const start = Date.UTC(2026, 1, 15, 14, 30);
const minute = 60_000;
const terminal: FreshProof = { kind: 'terminal' };

interface Room {
  readonly approvals: Approvals;
  readonly store: Store;
  readonly events: ApprovalEvent[];
  /** Sets the wall clock, in milliseconds after the start; the monotonic clock is the real one. */
  at(milliseconds: number): void;
  /** Another process on the same objects and log, with a clock of its own that stands at the start. */
  another(options?: Partial<ApprovalsOptions>): Approvals;
}

function room(options: Partial<ApprovalsOptions> = {}): Room {
  const store = createMemoryStore();
  const events: ApprovalEvent[] = [];
  let now = start;
  const base: ApprovalsOptions = {
    objects: store,
    record: async (event) => { await delay(1); events.push(event); },
    clock: { now: () => now, monotonic: () => performance.now() },
    timers: realTimers,
    random: createTestRandom(),
    isApprover: (by, approvers) => approvers.includes(by) || (approvers.includes('role:admin') && by === 'user:root'),
    approverKeys: () => [],
    ...options,
  };
  const another = (more: Partial<ApprovalsOptions> = {}): Approvals => createApprovals({ ...base, clock: { now: () => start, monotonic: () => performance.now() }, random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) }, ...more });
  return { approvals: createApprovals(base), store, events, at(milliseconds) { now = start + milliseconds; }, another };
}

const say = (id: string, outcome: 'approve' | 'reject', by: string, reason?: string): DecideRequest => ({ id, outcome, by, proof: terminal, ...(reason === undefined ? {} : { reason }) });

test('the store and the recorder fit what approvals ask for', () => {
  const recorder: Recorder = async () => ({ seq: 1, chain_hash: null });
  assert.ok(room({ record: recorder, objects: createMemoryStore() }).approvals);
});

test('a request is pending, recorded with all that it is bound to, and shown', async () => {
  const { approvals, events } = room();
  const view = await approvals.request(push);
  assert.match(view.id, /^apr_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(view, {
    id: view.id, status: 'pending', project_id: 'prj_1', session_id: 'ses_1', action_hash: push.actionHash, policy_digest: push.policyDigest, rule: 'no-force-push',
    reason: 'a force push', action: push.action, approvers: [], required: 1, requested_by: 'agent:claude', created_at: '2026-02-15T14:30:00.000Z',
    expires_at: '2026-02-15T15:00:00.000Z', timeout_ms: 30 * minute, decisions: [], decided_at: null, use_before: null, used_at: null, on_timeout: 'reject',
  });
  assert.deepEqual(await approvals.get(view.id), view);
  assert.deepEqual(events, [{
    event: 'approval.request', actor: 'agent:claude', resource: `approval:${view.id}`, metadata: { project_id: 'prj_1', session_id: 'ses_1' },
    details: {
      approval_id: view.id, status: 'pending', action_hash: push.actionHash, policy_digest: push.policyDigest, rule: 'no-force-push', reason: 'a force push',
      action: push.action, approvers: [], required: 1, on_timeout: 'reject', expires_at: view.expires_at,
    },
  }]);
});

test('asking again for the same action, policy and session gives the same approval; any other gives another', async () => {
  const { approvals, events, another } = room();
  const { id } = await approvals.request(push);
  assert.equal((await approvals.request({ ...push, reason: 'worded otherwise' })).id, id);
  assert.equal((await another().request(push)).id, id);
  assert.equal(events.length, 1);
  for (const other of [{ actionHash: 'b' }, { policyDigest: 'b' }, { sessionId: 'ses_2' }]) assert.notEqual((await approvals.request({ ...push, ...other })).id, id);
});

test('of many who ask at once, in two processes, all get the one approval', async () => {
  const { approvals, events, another } = room();
  const second = another();
  const views = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? approvals : second).request(push)));
  assert.equal(new Set(views.map(({ id }) => id)).size, 1);
  assert.equal(events.length, 1);
});

test('an approval that was given is used exactly once, by one of many', async () => {
  const { approvals, another, events } = room();
  const { id } = await approvals.request(push);
  assert.equal(await approvals.consume(push), undefined, 'nothing to use while it is pending');
  const approved = await approvals.decide(say(id, 'approve', 'user:bob', 'it is my branch'));
  assert.deepEqual([approved.status, approved.decided_at, approved.use_before], ['approved', '2026-02-15T14:30:00.000Z', '2026-02-15T14:40:00.000Z']);
  assert.deepEqual(approved.decisions, [{ by: 'user:bob', outcome: 'approve', reason: 'it is my branch', proof: 'terminal', at: '2026-02-15T14:30:00.000Z' }]);
  for (const other of [{ actionHash: 'b' }, { policyDigest: 'b' }, { sessionId: 'ses_2' }]) assert.equal(await approvals.consume({ ...push, ...other }), undefined);
  const second = another();
  const taken = (await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? approvals : second).consume(push)))).filter((view) => view !== undefined);
  assert.deepEqual(taken.map((view) => [view.id, view.status, view.used_at]), [[id, 'used', '2026-02-15T14:30:00.000Z']]);
  assert.equal(await approvals.consume(push), undefined);
  assert.deepEqual(events.map(({ event, actor }) => [event, actor]), [['approval.request', 'agent:claude'], ['approval.approve', 'user:bob']]);
  assert.notEqual((await approvals.request(push)).id, id, 'the next time asks anew');
});

test('the requester and agents never decide, nor does anybody off the list; the list is asked for everybody else', async () => {
  const { approvals, events } = room();
  const { id } = await approvals.request({ ...push, approvers: ['user:alice', 'role:admin'], requestedBy: 'user:alice' });
  const refusals: readonly (readonly [string, RegExp])[] = [
    ['user:alice', /: user:alice asked for it; somebody else must decide$/],
    ['agent:claude', /: agent:claude is no person; only a person decides$/],
    ['system', /: system is no person/],
    ['user:', /: user: is no person/],
    ['user:bob', /: user:bob is not on its list of approvers$/],
  ];
  for (const outcome of ['approve', 'reject'] as const) {
    for (const [by, message] of refusals) await assert.rejects(approvals.decide(say(id, outcome, by)), { code: 'auth.forbidden', message }, by);
  }
  assert.equal((await approvals.get(id))?.status, 'pending');
  assert.equal(events.length, 1);
  assert.equal((await approvals.decide(say(id, 'approve', 'user:root'))).status, 'approved');
});

test('a quorum needs different people; one rejection ends it at any point', async () => {
  const { approvals, events, at } = room();
  const { id } = await approvals.request({ ...push, required: 2 });
  assert.equal((await approvals.decide(say(id, 'approve', 'user:bob'))).status, 'pending');
  await assert.rejects(approvals.decide(say(id, 'approve', 'user:bob')), { code: 'approval.decided', message: `Cannot approve ${id}: user:bob has approved it before; 2 different people must` });
  assert.equal(await approvals.consume({ ...push }), undefined);
  at(minute);
  const approved = await approvals.decide(say(id, 'approve', 'user:carol'));
  assert.deepEqual([approved.status, approved.decisions.length, approved.decided_at], ['approved', 2, '2026-02-15T14:31:00.000Z']);
  assert.deepEqual(events.at(-1)?.details['approvals'], 2);

  const other = await approvals.request({ ...push, actionHash: 'b', required: 3 });
  await approvals.decide(say(other.id, 'approve', 'user:bob'));
  const rejected = await approvals.decide(say(other.id, 'reject', 'user:bob', 'on second thought'));
  assert.equal(rejected.status, 'rejected');
  await assert.rejects(approvals.decide(say(other.id, 'approve', 'user:carol')), { code: 'approval.decided', message: `Cannot approve ${other.id}: it is rejected; the last word was that of user:bob` });
  assert.equal(await approvals.consume({ ...push, actionHash: 'b' }), undefined);
});

test('what is over stays over: no second outcome for approved, used, rejected and expired', async () => {
  const { approvals, at } = room();
  const { id } = await approvals.request(push);
  await approvals.decide(say(id, 'approve', 'user:bob'));
  await assert.rejects(approvals.decide(say(id, 'reject', 'user:carol')), { code: 'approval.decided', message: `Cannot reject ${id}: it is approved; the last word was that of user:bob`, hint: `Take the approval back with: loki reject ${id} --override` });
  await approvals.consume(push);
  await assert.rejects(approvals.decide(say(id, 'reject', 'user:carol')), { code: 'approval.decided' });
  const late = await approvals.request(push);
  at(30 * minute);
  await assert.rejects(approvals.decide(say(late.id, 'approve', 'user:bob')), { code: 'approval.decided', message: `Cannot approve ${late.id}: it expired; it was open until 2026-02-15T15:00:00.000Z` });
  assert.equal((await approvals.get(late.id))?.status, 'expired');
});

test('nobody decided in time is a no: recorded once, whoever notices, and seen by who waits', async () => {
  const { approvals, another, events, at } = room();
  const { id } = await approvals.request(push);
  const waiting = approvals.wait(id, 60_000);
  at(30 * minute);
  const later = another({ clock: { now: () => start + 31 * minute, monotonic: () => performance.now() } });
  const [view] = await Promise.all([waiting, approvals.expire(), later.expire(), later.expire()]);
  assert.deepEqual([view.status, view.decided_at === null], ['expired', false]);
  const expiries = events.filter(({ event }) => event === 'approval.expire');
  assert.equal(expiries.length, 1);
  assert.deepEqual([expiries[0]?.actor, expiries[0]?.details['cause']], ['system', 'nobody decided in time']);
  assert.equal(await approvals.consume(push), undefined);
  assert.deepEqual(await approvals.expire(), []);
  assert.notEqual((await approvals.request(push)).id, id);
});

test('deciding and running out at the same moment leave exactly one outcome', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { approvals, another, events } = room();
    const { id } = await approvals.request(push);
    const later = another({ clock: { now: () => start + 30 * minute, monotonic: () => performance.now() } });
    const [decision] = await Promise.allSettled([approvals.decide(say(id, 'approve', 'user:bob')), later.expire()]);
    const { status } = await approvals.get(id) ?? {};
    const ends = events.slice(1).map(({ event }) => event);
    if (decision.status === 'fulfilled') assert.deepEqual([status === 'expired' || status === 'approved', ends[0]], [true, 'approval.approve']);
    else assert.deepEqual([status, ends], ['expired', ['approval.expire']]);
  }
});

test('an approval that is not used in time expires, and says so in the log', async () => {
  const { approvals, events, at } = room({ executionMs: 5 * minute });
  const { id } = await approvals.request(push);
  await approvals.decide(say(id, 'approve', 'user:bob'));
  at(5 * minute);
  assert.equal(await approvals.consume(push), undefined);
  assert.equal((await approvals.get(id))?.status, 'expired');
  assert.deepEqual(events.at(-1)?.details['cause'], 'approved and not used in time');
  const swept = await approvals.request(push);
  await approvals.decide(say(swept.id, 'approve', 'user:bob'));
  at(11 * minute);
  assert.deepEqual((await approvals.expire()).map(({ id }) => id), [swept.id]);
});

test('a clock that is set back gives nobody more time', async () => {
  const { approvals, events, at } = room();
  const { id } = await approvals.request({ ...push, timeoutMs: 200 });
  const since = performance.now();
  const waiting = approvals.wait(id, 30_000);
  at(-60 * minute);
  const view = await waiting;
  assert.ok(performance.now() - since < 10_000);
  assert.equal(view.status, 'expired');
  assert.ok((view.decided_at ?? '') >= view.created_at, 'times of one approval do not go back');
  assert.equal(events.at(-1)?.event, 'approval.expire');

  at(0);
  const given = await approvals.request(push);
  await approvals.decide(say(given.id, 'approve', 'user:bob'));
  at(-30_000);
  assert.equal((await approvals.request(push)).id, given.id, 'a small step back is tolerated');
  at(-60 * minute);
  assert.equal(await approvals.consume(push), undefined, 'how old the approval is cannot be told');
  at(0);
  assert.equal(await approvals.consume(push), undefined);
});

test('who waits has the answer soon after the decision, also from another process', async () => {
  const { approvals, another } = room();
  const { id } = await approvals.request(push);
  const waiting = approvals.wait(id, 60_000);
  await delay(120);
  await another().decide(say(id, 'reject', 'user:bob', 'not today'));
  const since = performance.now();
  assert.equal((await waiting).status, 'rejected');
  // It looks every 50 ms; the rest is room for a busy machine.
  assert.ok(performance.now() - since < 250, `${performance.now() - since} ms`);
});

test('waiting ends after its own time with the approval as it stands, and when it is broken off', async () => {
  const { approvals } = room();
  const { id } = await approvals.request(push);
  assert.equal((await approvals.wait(id, 30)).status, 'pending');
  assert.equal((await approvals.wait(id, 0)).status, 'pending');
  const abort = new AbortController();
  const waiting = approvals.wait(id, 60_000, abort.signal);
  abort.abort();
  await assert.rejects(waiting, { code: 'interrupted', message: `Cannot wait for approval ${id}: waiting was broken off` });
});

test('obtain asks, waits and uses in one go, and never twice', async () => {
  const { approvals, events } = room();
  assert.deepEqual((await approvals.obtain(push, 0)).outcome, 'pending');
  const waiting = approvals.obtain(push, 60_000);
  const [pending] = await approvals.list({ status: 'pending' });
  await approvals.decide(say(pending?.id ?? '', 'approve', 'user:bob', 'fine'));
  assert.deepEqual(await waiting, { id: pending?.id, outcome: 'approved', reason: 'user:bob: fine', decidedBy: ['user:bob'] });
  const again = await approvals.obtain(push, 0);
  assert.equal(again.outcome, 'pending');
  await approvals.decide(say(again.id, 'reject', 'user:bob', 'no'));
  const third = await approvals.obtain(push, 0);
  assert.deepEqual([third.outcome, third.id === again.id], ['pending', false]);
  await approvals.decide(say(third.id, 'approve', 'user:bob'));
  assert.equal((await approvals.obtain(push, 0)).outcome, 'approved', 'given before it was asked for again');
  assert.equal(events.filter(({ event }) => event === 'approval.request').length, 3);
});

test('what could not be recorded is not shown, and takes effect once it can be', async () => {
  let broken = true;
  const events: ApprovalEvent[] = [];
  const record = async (event: ApprovalEvent): Promise<void> => {
    if (broken) throw new LokiError('audit.unwritable', { attempted: 'record an event', found: 'the disk is full' });
    events.push(event);
  };
  const { approvals, another } = room({ record, helpAfterMs: 60 });
  await assert.rejects(approvals.request(push), { code: 'audit.unwritable' });
  assert.deepEqual(await approvals.list(), []);
  broken = false;
  const { id } = await another().request(push);
  assert.deepEqual(events.map(({ event }) => event), ['approval.request']);
  broken = true;
  await assert.rejects(approvals.decide(say(id, 'approve', 'user:bob')), { code: 'audit.unwritable' });
  assert.equal((await approvals.get(id))?.status, 'pending');
  await assert.rejects(approvals.consume(push), { code: 'audit.unwritable' });
  broken = false;
  assert.equal((await another().wait(id, 10_000)).status, 'approved');
  assert.deepEqual(events.map(({ event, actor }) => [event, actor]), [['approval.request', 'agent:claude'], ['approval.approve', 'user:bob']]);
});

test('a decision whose process died before it was recorded is recorded and shown by the next one that looks', async () => {
  const { approvals, another, events } = room({ helpAfterMs: 100 });
  const { id } = await approvals.request(push);
  const dead = another({ record: () => new Promise(() => undefined) });
  void dead.decide(say(id, 'approve', 'user:bob'));
  await delay(5);
  assert.equal((await approvals.get(id))?.status, 'pending');
  await assert.rejects(approvals.decide(say(id, 'reject', 'user:carol')), { code: 'approval.decided', message: /the last word was that of user:bob$/ });
  assert.equal((await approvals.wait(id, 10_000)).status, 'approved');
  assert.deepEqual(events.map(({ event, actor }) => [event, actor]), [['approval.request', 'agent:claude'], ['approval.approve', 'user:bob']]);
});

test('every outcome is in the log before anybody can see it', async () => {
  const { approvals, store, events } = room();
  const early: string[] = [];
  const abort = new AbortController();
  const watching = (async (): Promise<void> => {
    for await (const view of approvals.watchPending(abort.signal)) {
      if (!events.some(({ details }) => details['approval_id'] === view.id && details['status'] === view.status)) early.push(view.status);
    }
  })();
  const { id } = await approvals.request({ ...push, required: 2 });
  await Promise.all([approvals.decide(say(id, 'approve', 'user:bob')), approvals.decide(say(id, 'approve', 'user:carol'))]);
  await delay(20);
  abort.abort();
  await watching;
  assert.deepEqual(early, []);
  assert.equal((await approvals.get(id))?.status, 'approved');
  assert.ok(await store.revision() >= 6);
});

test('lists newest first by status and project, page by page', async () => {
  const { approvals, at } = room();
  const ids: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    at(n * 1000);
    ids.unshift((await approvals.request({ ...push, actionHash: `h${n}`, projectId: n % 2 === 0 ? 'prj_1' : 'prj_2' })).id);
  }
  await approvals.decide(say(ids[0] ?? '', 'reject', 'user:bob'));
  await approvals.decide(say(ids[1] ?? '', 'approve', 'user:bob'));
  const listed = async (filter: Parameters<Approvals['list']>[0]): Promise<readonly number[]> => (await approvals.list(filter)).map(({ id }) => ids.indexOf(id));
  assert.deepEqual(await listed({}), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await listed({ status: 'pending' }), [2, 3, 4, 5]);
  assert.deepEqual(await listed({ status: 'pending', project: 'prj_2' }), [2, 4]);
  assert.deepEqual(await listed({ status: 'rejected' }), [0]);
  assert.deepEqual(await listed({ status: 'approved' }), [1]);
  assert.deepEqual(await listed({ limit: 2, after: ids[1] ?? '' }), [2, 3]);
  await assert.rejects(approvals.list({ after: '../x' }), { code: 'not_found' });
});

test('watching gives those pending now, those to come, and what becomes of them', async () => {
  const { approvals, another } = room();
  const first = await approvals.request(push);
  const abort = new AbortController();
  const seen: string[] = [];
  const watching = (async (): Promise<void> => {
    for await (const { id, status } of approvals.watchPending(abort.signal, 'prj_1')) seen.push(`${id === first.id ? 'first' : 'second'} ${status}`);
  })();
  await delay(10);
  await another().request({ ...push, actionHash: 'b' });
  await another().request({ ...push, actionHash: 'c', projectId: 'prj_2' });
  await another().decide(say(first.id, 'reject', 'user:bob'));
  await delay(10);
  abort.abort();
  await watching;
  assert.deepEqual(seen, ['first pending', 'second pending', 'first rejected']);
});

test('requests and decisions out of bounds are refused, unknown ids are not found', async () => {
  const { approvals, events } = room();
  const bad: readonly (readonly [Partial<ApprovalRequest>, RegExp])[] = [
    [{ required: 0 }, /required is 0/], [{ required: 1.5 }, /required is 1\.5/], [{ timeoutMs: 0 }, /time-out is 0 ms/], [{ timeoutMs: Number.NaN }, /time-out is NaN/],
    [{ timeoutMs: 31 * 24 * 60 * minute }, /30 days/], [{ actionHash: '' }, /must not be empty/], [{ sessionId: '' }, /must not be empty/], [{ requestedBy: '' }, /who asks is not said/],
    [{ reason: 'x'.repeat(2001) }, /reason has 2001 characters/], [{ approvers: Array.from({ length: 101 }, (_, n) => `user:${n}`) }, /101 approvers/],
  ];
  for (const [part, message] of bad) await assert.rejects(approvals.request({ ...push, ...part }), { code: 'request.invalid', message });
  const view = await approvals.request(push);
  await assert.rejects(approvals.decide(say(view.id, 'approve', 'user:bob', 'x'.repeat(2001))), { code: 'request.invalid' });
  for (const id of ['apr_01J00000000000000000000000', '../../etc', '', `${view.id}x`]) {
    await assert.rejects(approvals.decide(say(id, 'approve', 'user:bob')), { code: 'not_found' });
    await assert.rejects(approvals.wait(id, 10), { code: 'not_found' });
    assert.equal(await approvals.get(id), undefined);
  }
  assert.equal(events.length, 1);
});
