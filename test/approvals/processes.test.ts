/** Approvals of several processes on one embedded store: each has a store object of its own on the same files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApprovalEvent } from '../../lib/approvals/ports.ts';
import { createApprovals } from '../../lib/approvals/approvals.ts';
import type { Approvals, ApprovalRequest } from '../../lib/approvals/approvals.ts';
import type { Store } from '../../lib/store/store.ts';
import { embeddedStores } from '../support/embedded-stores.ts';
import { realTimers } from '../support/fakes.ts';

const request: ApprovalRequest = {
  actionHash: 'a', policyDigest: 'p', sessionId: 'ses_1', projectId: 'prj_1', rule: 'r', reason: 'x', action: { kind: 'other' },
  approvers: [], required: 1, timeoutMs: 60_000, requestedBy: 'agent:claude',
};

function room(objects: Store, events: ApprovalEvent[]): Approvals {
  return createApprovals({
    objects, timers: realTimers,
    record: async (event) => { events.push(event); },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    isApprover: () => true,
    approverKeys: () => [],
  });
}

test('of 20 people who decide at once through two processes exactly one decides', { timeout: 20_000 }, async () => {
  const { open } = await embeddedStores();
  const stores = [await open(), await open()];
  const events: ApprovalEvent[] = [];
  const rooms = stores.map((store) => room(store, events));
  for (let round = 0; round < 5; round += 1) {
    const asked = { ...request, actionHash: `h${round}` };
    const ids = await Promise.all(rooms.map(async (approvals) => (await approvals.request(asked)).id));
    const [id = ''] = ids;
    assert.deepEqual(ids, [id, id]);
    const waiting = rooms.map((approvals) => approvals.wait(id, 10_000));
    const decisions = await Promise.allSettled(Array.from({ length: 20 }, async (_, n) =>
      rooms[n % 2]?.decide({ id, outcome: n % 3 === 0 ? 'reject' : 'approve', by: `user:u${n}`, proof: { kind: 'terminal' } })));
    const won = decisions.flatMap((decision) => (decision.status === 'fulfilled' ? [decision.value] : []));
    assert.equal(won.length, 1);
    for (const decision of decisions) if (decision.status === 'rejected') assert.equal(decision.reason.code, 'approval.decided');
    assert.deepEqual((await Promise.all(waiting)).map(({ status, decisions: said }) => [status, said.length]), [[won[0]?.status, 1], [won[0]?.status, 1]]);
    const recorded = events.filter(({ details }) => details['approval_id'] === id).map(({ event, actor }) => `${event} ${actor}`);
    assert.deepEqual(recorded, ['approval.request agent:claude', `approval.${won[0]?.status === 'approved' ? 'approve' : 'reject'} ${won[0]?.decisions[0]?.by}`]);
    const taken = (await Promise.all(Array.from({ length: 10 }, (_, n) => rooms[n % 2]?.consume(asked)))).filter((view) => view !== undefined);
    assert.equal(taken.length, won[0]?.status === 'approved' ? 1 : 0);
  }
  await Promise.all(stores.map((store) => store.close()));
});

test('an approval survives the restart of everybody', async () => {
  const { open } = await embeddedStores();
  const events: ApprovalEvent[] = [];
  const first = await open();
  const { id } = await room(first, events).request(request);
  await first.close();
  const second = await open();
  await room(second, events).decide({ id, outcome: 'approve', by: 'user:bob', proof: { kind: 'terminal' } });
  await second.close();
  const third = await open();
  const answer = await room(third, events).obtain(request, 0);
  assert.deepEqual(answer, { id, outcome: 'approved', reason: 'user:bob', decidedBy: ['user:bob'] });
  assert.equal(await room(third, events).consume(request), undefined);
  await third.close();
});
