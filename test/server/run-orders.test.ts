/** Runs over the API: ordered, cancelled, ordered again, and added to by their own process; by whoever may, and by nobody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../lib/base/ids.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { HttpResponse } from '../../lib/base/http.ts';
import { bodyOf, createKit, localToken, mint, putTenant, send, type Kit } from '../support/api-kit.ts';

interface Ground {
  readonly kit: Kit;
  readonly tenant: string;
  readonly project: string;
  readonly otherProject: string;
  /** Tokens of keys: of the tenant, of another, one that may only read, one of the installation. */
  readonly own: string;
  readonly other: string;
  readonly reader: string;
  readonly root: string;
}

async function ground(): Promise<Ground> {
  const kit = createKit({ authentication: true });
  const [tenant, elsewhere] = [await putTenant(kit.store, 1), await putTenant(kit.store, 2)];
  const put = async (at: number, of: string): Promise<string> => {
    const id = newId('project', at, new Uint8Array(10));
    await tenantView(kit.store, of).transact([], [{ key: `projects/${id}`, value: { id, name: 'p', tenant_id: of, path: '/p', created_at: '2026-02-15T14:29:00.000Z' } }]);
    return id;
  };
  const token = async (tenant_id: string | null, role: 'operator' | 'viewer' | 'admin'): Promise<string> => (await mint(kit, { name: role, role, tenant: tenant_id })).token;
  return {
    kit, tenant, project: await put(5, tenant), otherProject: await put(6, elsewhere),
    own: await token(tenant, 'operator'), other: await token(elsewhere, 'operator'), reader: await token(tenant, 'viewer'), root: await token(null, 'admin'),
  };
}

const post = ({ api }: Kit, path: string, token: string | undefined, body?: unknown, headers: Record<string, string> = {}): Promise<HttpResponse> => send(api, `/api/v2${path}`, {
  method: 'POST', headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

type Answered = Record<string, unknown>;
const object = (response: HttpResponse): Answered => bodyOf(response) as Answered;

async function ordered({ kit, own, project }: Ground, more: object = {}): Promise<{ readonly id: string; readonly token: string }> {
  const response = await post(kit, '/runs', own, { project_id: project, ...more });
  assert.equal(response.status, 201, String(response.body));
  const { id, token } = object(response);
  return { id: String(id), token: String(token) };
}

test('an order is answered with the pending run and its token, once, and stays in its tenant', async () => {
  const here = await ground();
  const { kit, own, other, reader, root, project, tenant } = here;
  const order = { project_id: project, document: '# Build\r\nit\n', config: { provider: 'claude', max_iterations: 2, budget: 1000 } };
  const headers = { 'idempotency-key': 'once' };
  const response = await post(kit, '/runs', own, order, headers);
  assert.equal(response.status, 201);
  const { id, token, ...run } = object(response);
  assert.deepEqual([run['status'], run['trigger'], run['tenant_id'], run['project_id']], ['pending', 'api', tenant, project]);
  assert.match(String(token), /^lokirun_/);
  assert.equal(response.headers['Location'], `/api/v2/runs/${String(id)}`);
  const again = await post(kit, '/runs', own, order, headers);
  assert.deepEqual([again.status, again.headers['Idempotency-Replayed'], object(again)['id'], object(again)['token']], [201, 'true', id, undefined]);
  assert.ok(!JSON.stringify(await kit.store.list('', { limit: 1000 })).includes(String(token)), 'the token is kept nowhere');
  const get = (as: string): Promise<HttpResponse> => send(kit.api, `/api/v2/runs/${String(id)}`, { headers: { authorization: `Bearer ${as}` } });
  assert.deepEqual([(await get(own)).status, (await get(reader)).status, (await get(root)).status, (await get(other)).status], [200, 200, 200, 404]);
  assert.equal((await get(own)).headers['ETag'], response.headers['ETag']);
  assert.equal(kit.recorded.filter(({ event }) => event === 'run.create').length, 1);
});

test('what is no order is refused with all its mistakes, and leaves nothing behind', async () => {
  const here = await ground();
  const { kit, own, project, otherProject } = here;
  const status = async (body: unknown): Promise<number> => (await post(kit, '/runs', own, body)).status;
  const wrong = await post(kit, '/runs', own, { project_id: 'x', document: '', config: { provider: '../evil', max_iterations: 0, command: 'rm' }, path: '/etc' });
  assert.equal(wrong.status, 400);
  assert.deepEqual((object(wrong)['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).sort(), ['/config/command', '/config/max_iterations', '/config/provider', '/document', '/path', '/project_id']);
  assert.deepEqual([await status({ project_id: otherProject }), await status({ project_id: newId('project', 99, new Uint8Array(10)) })], [404, 404]);
  assert.deepEqual([await status({ project_id: project, document: 'a\0b' }), await status({ project_id: project, document: 'é'.repeat(200_000) })], [400, 413]);
  assert.equal((await kit.store.list('run-queue/', { limit: 10 })).length, 0);
});

test('only who may control orders, cancels and replays; another tenant\'s run is not there', async () => {
  const here = await ground();
  const { kit, own, other, reader, root, project } = here;
  const { id } = await ordered(here);
  const nowhere = newId('run', 99, new Uint8Array(10));
  assert.deepEqual([(await post(kit, '/runs', undefined, { project_id: project })).status, (await post(kit, '/runs', reader, { project_id: project })).status, (await post(kit, '/runs', other, { project_id: project })).status], [401, 403, 404]);
  for (const what of ['cancel', 'replay']) {
    const path = (run: string): string => `/runs/${run}/${what}`;
    assert.deepEqual([(await post(kit, path(id), undefined)).status, (await post(kit, path(id), reader)).status], [401, 403]);
    const [theirs, none] = [object(await post(kit, path(id), other)), object(await post(kit, path(nowhere), other))];
    assert.equal(theirs['status'], 404);
    assert.equal(String(theirs['detail']).replace(id, ''), String(none['detail']).replace(nowhere, ''));
  }
  assert.equal((await post(kit, `/runs/${id}/replay`, own)).status, 409, 'it has not begun');
  const cancelled = await post(kit, `/runs/${id}/cancel`, root);
  assert.deepEqual([cancelled.status, object(cancelled)['status']], [200, 'cancelled']);
  assert.equal((await post(kit, `/runs/${id}/cancel`, own)).status, 409);
});

test('a replay is a run of its own, with what it was ordered with', async () => {
  const here = await ground();
  const { kit, own, tenant } = here;
  const { id } = await ordered(here, { document: 'Build it', config: { max_iterations: 4 } });
  const view = tenantView(kit.store, tenant);
  const entry = await view.get(runKeys.run(id));
  const before = entry?.value as Record<string, JsonObject>;
  await view.transact([], [{ key: runKeys.run(id), value: { ...before, status: 'failed', started_at: '2026-02-15T14:30:00.000Z', config: { ...before['config'], provider: 'claude' } } }]);
  const response = await post(kit, `/runs/${id}/replay`, own, {}, { 'idempotency-key': 'k' });
  assert.equal(response.status, 201, String(response.body));
  const run = object(response);
  assert.deepEqual([run['parent_run_id'], run['trigger'], run['status']], [id, 'replay', 'pending']);
  assert.deepEqual([(run['config'] as Answered)['provider'], (run['config'] as Answered)['max_iterations'], (run['config'] as Answered)['differences']], ['claude', 4, []]);
  assert.equal(object(await post(kit, `/runs/${id}/replay`, own, {}, { 'idempotency-key': 'k' }))['id'], run['id']);
});

test('a run\'s token appends to its own timeline while the run goes on, and does nothing else', async () => {
  const here = await ground();
  const { kit, own } = here;
  const [first, second] = [await ordered(here), await ordered(here)];
  const event = { event_type: 'log', details: { message: 'hunter2 is at work' } };
  const response = await post(kit, `/runs/${first.id}/events`, first.token, { events: [event, { ...event, phase: 'ACT' }] });
  assert.equal(response.status, 201, String(response.body));
  const events = object(response)['events'] as Answered[];
  assert.deepEqual(events.map(({ seq, phase, details }) => [seq, phase, details]), [[1, null, { message: '[redacted] is at work', reported_by: 'run' }], [2, 'ACT', { message: '[redacted] is at work', reported_by: 'run' }]]);
  assert.equal((await post(kit, `/runs/${second.id}/events`, first.token, { events: [event] })).status, 404);
  assert.deepEqual([(await post(kit, `/runs/${first.id}/events`, own, { events: [event] })).status, (await post(kit, `/runs/${first.id}/events`, localToken, { events: [event] })).status], [403, 403]);
  assert.equal((await post(kit, `/runs/${first.id}/cancel`, first.token)).status, 403);
  assert.equal((await send(kit.api, `/api/v2/runs/${first.id}`, { headers: { authorization: `Bearer ${first.token}` } })).status, 403);
  for (const events of [[], [{ ...event, event_type: 'other' }], [{ ...event, phase: 'DONE' }], [{ ...event, seq: 7 }], Array.from({ length: 51 }, () => event), [{ event_type: 'log', details: { message: 'x'.repeat(17_000) } }]]) {
    assert.equal((await post(kit, `/runs/${first.id}/events`, first.token, { events })).status, 400);
  }
  await post(kit, `/runs/${first.id}/cancel`, own);
  assert.equal((await post(kit, `/runs/${first.id}/events`, first.token, { events: [event] })).status, 401);
  const forged = second.token.slice(0, -4) + (second.token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
  assert.equal((await post(kit, `/runs/${second.id}/events`, forged, { events: [event] })).status, 401);
});
