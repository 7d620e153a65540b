/** Approvals over the API: everybody who may read may look; who decides shows a signature of an approver key, and nothing else counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApprovals, type Approvals } from '../../lib/approvals/approvals.ts';
import type { ApprovalView } from '../../lib/approvals/approval.ts';
import type { Prove } from '../../lib/approvals/proof.ts';
import { textOfDecision } from '../../lib/approvals/steps.ts';
import type { HttpResponse } from '../../lib/base/http.ts';
import { clock, random, timers } from '../../lib/host/time.ts';
import { bodyOf, createKit, localToken, send, type Call, type Kit } from '../support/api-kit.ts';
import { push } from '../support/approval-request.ts';
import { looseApprover } from '../support/approver.ts';
import { createMemoryStore } from '../support/memory-store.ts';

interface Room {
  readonly kit: Kit;
  readonly approvals: Approvals;
  readonly prove: Prove;
  /** A body with the decision signed at `agoMs` before now. */
  signed(view: ApprovalView, outcome: 'approve' | 'reject', more?: { readonly reason?: string; readonly override?: true; readonly by?: string }): string;
  post(id: string, outcome: string, body: string, call?: Call, prefix?: string): Promise<HttpResponse>;
}

function room(options: Parameters<typeof createKit>[0] = {}, agoMs = 0): Room {
  const store = createMemoryStore();
  const { approver, prove } = looseApprover('user:alice', 1, () => Date.now() - agoMs);
  const approvals = createApprovals({ objects: store, record: async () => undefined, clock, timers, random, isApprover: (by, list) => list.includes(by), approverKeys: () => [approver] });
  const kit = createKit(options, { store, approvals: () => approvals });
  return {
    kit, approvals, prove,
    signed(view, outcome, { by = 'user:alice', ...more } = {}) {
      const proof = prove((at) => textOfDecision(view, { id: view.id, outcome, by, ...more }, at));
      assert.ok(proof.kind === 'approver_key');
      return JSON.stringify({ ...more, proof: { by, at: proof.at, key: proof.key, signature: proof.signature } });
    },
    post: (id, outcome, body, call = {}, prefix = '/api') => send(kit.api, `${prefix}/approvals/${id}/${outcome}`, { method: 'POST', body, ...call, headers: { 'content-type': 'application/json', ...call.headers } }),
  };
}

const codeOf = (response: HttpResponse): unknown => (bodyOf(response) as { readonly code?: string }).code;

test('approvals are listed newest first in both presentations, by status and project, and shown one by one', async () => {
  const { kit: { api }, approvals } = room();
  const made: ApprovalView[] = [];
  for (let n = 0; n < 5; n += 1) made.push(await approvals.request({ ...push, actionHash: `h${n}` }));
  const newest = made.map(({ id }) => id).reverse().sort().reverse();
  await approvals.decide({ id: made[0]?.id ?? '', outcome: 'reject', by: 'user:bob', proof: { kind: 'terminal' } });
  const idsOf = (value: unknown): readonly string[] => (value as readonly { readonly id: string }[]).map(({ id }) => id);
  assert.deepEqual(idsOf(bodyOf(await send(api, '/api/approvals?limit=2&offset=1'))), newest.slice(1, 3));
  assert.deepEqual(idsOf(bodyOf(await send(api, '/api/approvals?status=rejected'))), [made[0]?.id]);
  assert.deepEqual(bodyOf(await send(api, '/api/approvals?project_id=prj_01J8Z3K4M5N6P7Q8R9S0T1V2W3')), []);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = bodyOf(await send(api, `/api/v2/approvals?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)) as { readonly data: readonly { readonly id: string }[]; readonly next_cursor: string | null };
    seen.push(...idsOf(page.data));
    cursor = page.next_cursor;
  }
  assert.deepEqual(seen, newest);
  const one = await send(api, `/api/v2/approvals/${newest[0]}`);
  assert.equal(one.status, 200);
  assert.equal((await send(api, `/api/v2/approvals/${newest[0]}`, { headers: { 'if-none-match': one.headers['ETag'] ?? '' } })).status, 304);
  assert.equal((await send(api, '/api/approvals/apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3')).status, 404);
  assert.equal((await send(api, '/api/approvals/nonsense')).status, 400);
});

test('a decision with a signed proof counts, from whoever sends it, once', async () => {
  for (const options of [{}, { authentication: true }]) {
    for (const prefix of ['/api', '/api/v2']) {
      const { approvals, signed, post } = room(options);
      const view = await approvals.request(push);
      const body = signed(view, 'approve', { reason: 'reviewed' });
      const answer = await post(view.id, 'approve', body, {}, prefix);
      assert.equal(answer.status, 200, JSON.stringify(bodyOf(answer)));
      const { status, decisions } = bodyOf(answer) as ApprovalView;
      assert.deepEqual([status, decisions[0]?.by, decisions[0]?.reason, decisions[0]?.proof], ['approved', 'user:alice', 'reviewed', 'approver_key']);
      const again = await post(view.id, 'approve', body, {}, prefix);
      assert.deepEqual([again.status, codeOf(again)], [409, 'approval.decided']);
      assert.ok(await approvals.consume(push));
      assert.deepEqual([(await post(view.id, 'approve', body, {}, prefix)).status, await approvals.consume(push)], [409, undefined]);
    }
  }
});

test('without a proof it is 403, whatever token comes along, and the answer says what to do', async () => {
  const { approvals, post, kit } = room();
  const { id } = await approvals.request(push);
  for (const headers of [{}, { authorization: `Bearer ${localToken}` }] as readonly Readonly<Record<string, string>>[]) {
    for (const outcome of ['approve', 'reject']) {
      const answer = await post(id, outcome, '{"reason":"please"}', { headers });
      assert.deepEqual([answer.status, answer.headers['Content-Type'], codeOf(answer)], [403, 'application/problem+json', 'auth.proof']);
      assert.match(String((bodyOf(answer) as { readonly hint?: string }).hint), /loki approve ID --print-proof/);
    }
  }
  assert.equal((await approvals.get(id))?.status, 'pending');
  assert.ok(kit.recorded.some(({ event }) => event === 'auth.denied'));
  assert.equal((await post(id, 'approve', '{}', { headers: { authorization: 'Bearer loki_wrong' } })).status, 401, 'a wrong token is never taken for none');
});

test('a proof of something else, of somebody else, or from before is 403', async () => {
  const { approvals, signed, post } = room();
  const view = await approvals.request(push);
  const other = await approvals.request({ ...push, actionHash: 'b' });
  const good = JSON.parse(signed(view, 'approve'));
  for (const [what, body] of [
    ['another approval', signed(other, 'approve')], ['the other outcome', signed(view, 'reject')], ['another person', signed(view, 'approve', { by: 'user:bob' })], ['a reason added', JSON.stringify({ ...good, reason: 'x' })],
    ['no signature', JSON.stringify({ proof: { ...good.proof, signature: '' } })], ['rubbish', JSON.stringify({ proof: { ...good.proof, signature: '!'.repeat(300) } })], ['another key', JSON.stringify({ proof: { ...good.proof, key: 'SHA256:x' } })],
  ] as const) {
    const answer = await post(view.id, 'approve', body);
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'auth.proof'], what);
  }
  const old = room({}, 121_000);
  const late = await old.approvals.request(push);
  assert.deepEqual(codeOf(await old.post(late.id, 'approve', old.signed(late, 'approve'))), 'auth.proof');
});

test('the requester and people off the list do not decide, signed or not; a rejection ends it', async () => {
  const { approvals, signed, post } = room();
  const listed = await approvals.request({ ...push, approvers: ['user:bob'] });
  assert.deepEqual(codeOf(await post(listed.id, 'approve', signed(listed, 'approve'))), 'auth.forbidden');
  const own = await approvals.request({ ...push, actionHash: 'own', requestedBy: 'user:alice' });
  assert.deepEqual(codeOf(await post(own.id, 'approve', signed(own, 'approve'))), 'auth.forbidden');
  const view = await approvals.request({ ...push, actionHash: 'c' });
  assert.equal((await post(view.id, 'reject', signed(view, 'reject', { reason: 'no' }))).status, 200);
  assert.deepEqual(codeOf(await post(view.id, 'approve', signed(view, 'approve'))), 'approval.decided');
  const given = await approvals.request({ ...push, actionHash: 'd' });
  await post(given.id, 'approve', signed(given, 'approve'));
  const taken = await post(given.id, 'reject', signed(given, 'reject', { override: true }));
  assert.deepEqual([taken.status, (bodyOf(taken) as ApprovalView).status], [200, 'rejected']);
});

test('a body that is not as described is 400 with every mistake, and decides nothing', async () => {
  const { approvals, signed, post } = room();
  const view = await approvals.request(push);
  const { proof } = JSON.parse(signed(view, 'approve'));
  for (const [body, why] of [
    ['[]', /the body must be an object, and is a list/], ['null', /must be an object, and is null/], [JSON.stringify({ proof, reson: 'x' }), /"reson" that is not known \(did you mean "reason"\?\)/], [JSON.stringify({ proof, reason: 1, override: 'yes' }), /"reason" must be a text of 0 to 2000 characters, and is 1; "override" must be true or false/],
    [JSON.stringify({ proof: 'x' }), /"proof" must be an object/], [JSON.stringify({ proof: { ...proof, extra: 1 } }), /"proof" has a member "extra"/], [JSON.stringify({ proof, override: true }), /override goes with a rejection/],
    [JSON.stringify({ proof: { ...proof, by: 'user:a\nb' } }), /./],
  ] as const) {
    const answer = await post(view.id, 'approve', body);
    assert.ok(answer.status === 400 || answer.status === 403, `${body}: ${answer.status}`);
    assert.match(String((bodyOf(answer) as { readonly detail: string }).detail), why);
  }
  assert.equal((await post(view.id, 'approve', '{}', { headers: { 'content-type': 'text/plain' } })).status, 415);
  assert.equal((await send(room().kit.api, `/api/approvals/${view.id}/approve`)).status, 405);
  assert.equal((await approvals.get(view.id))?.status, 'pending');
});

test('a page of another site decides nothing', async () => {
  const { approvals, signed, post } = room();
  const view = await approvals.request(push);
  const answer = await post(view.id, 'approve', signed(view, 'approve'), { headers: { origin: 'https://evil.example' } });
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'request.origin']);
});
