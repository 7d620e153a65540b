/** What somebody may try who is not let in, or is let in as a little: floods, guesses, looks over the fence, rights nobody gave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApprovals, type Approvals } from '../../lib/approvals/approvals.ts';
import { textOfDecision } from '../../lib/approvals/steps.ts';
import type { HttpResponse } from '../../lib/base/http.ts';
import { newId, projectIdOf } from '../../lib/base/ids.ts';
import { LokiError } from '../../lib/errors.ts';
import { clock, random, timers } from '../../lib/host/time.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { keyValue } from '../../lib/server/auth/api-key.ts';
import { record, text } from '../../lib/server/shape.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { push } from '../support/approval-request.ts';
import { createKit, hookTokenOfKit, mint, projectId, putEvents, putRun, putTenant, send, type Call, type Kit } from '../support/api-kit.ts';
import { looseApprover } from '../support/approver.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };
const post = ({ api }: Kit, path: string, token: string, body: unknown, more: Call = {}): Promise<HttpResponse> => send(api, path, { method: 'POST', body: JSON.stringify(body), ...more, headers: { ...json, ...(token === '' ? {} : bearer(token)), ...more.headers } });

async function statuses(times: number, one: () => Promise<HttpResponse>): Promise<Readonly<Record<number, number>>> {
  const seen: Record<number, number> = {};
  for (let at = 0; at < times; at += 1) {
    const { status } = await one();
    seen[status] = (seen[status] ?? 0) + 1;
  }
  return seen;
}

test('what no allowance is taken for is paid for once it is refused: nobody fills the log with refusals', async () => {
  for (const [target, call, refused] of [
    ['/api/v2/events', {}, 401], [`/api/v2/runs/${newId('run', 1, new Uint8Array(10))}/events`, {}, 401], ['/hooks/claude?event=PreToolUse', { method: 'POST', address: '203.0.113.9' }, 401],
  ] as const) {
    const kit = createKit({ authentication: true, rateLimit: 60 });
    assert.deepEqual(await statuses(100, () => send(kit.api, target, call)), { [refused]: 60, 429: 40 }, target);
    assert.ok(kit.recorded.length <= 120, `${target}: ${kit.recorded.length} entries`);
  }
  const kit = createKit({ authentication: true, rateLimit: 60 });
  const { token } = await mint(kit, { name: 'viewer', tenant: null, role: 'viewer' });
  assert.deepEqual(await statuses(80, () => send(kit.api, '/api/v2/events?after=1.0000000000000000', { headers: bearer(token) })), { 400: 60, 429: 20 });
  assert.deepEqual(await statuses(80, () => send(kit.api, '/health')), { 200: 80 });
  assert.deepEqual(await statuses(80, () => send(kit.api, '/hooks/claude?event=PreToolUse', { method: 'POST', headers: { ...json, ...bearer(hookTokenOfKit) }, body: '{}' })), { 200: 80 });
});

test('a wrong token is paid for and told also where nobody needs one', async () => {
  const kit = createKit({ authentication: true, rateLimit: 600 });
  assert.deepEqual(await statuses(50, () => send(kit.api, '/api/status', { headers: bearer(`loki_${'x'.repeat(36)}`) })), { 200: 20, 429: 30 });
  assert.equal(kit.recorded.filter(({ event }) => event === 'auth.fail').length, 20);
  assert.equal((await send(kit.api, '/health', { headers: bearer(`loki_${'x'.repeat(36)}`) })).status, 200);
});

test('a body of many members that are not known costs what a few do, and strangers send small ones', async () => {
  const shape = record({ name: text({ most: 9 }) });
  const quickest = (members: number): number => {
    const flood = Object.fromEntries(Array.from({ length: members }, (_, at) => [`nam${at}`, 0]));
    return Math.min(...Array.from({ length: 5 }, () => {
      const began = performance.now();
      assert.equal(shape.problems(flood, '').length, 50);
      return performance.now() - began;
    }));
  };
  const [few, many] = [quickest(50), quickest(30_000)];
  assert.ok(many < 800 * few, `${many} ms for 30,000 members, ${few} ms for 50`);
  const kit = createKit({ authentication: true });
  const limits: number[] = [];
  for (const path of ['/auth/device', '/auth/device/token', '/auth/logout', `/api/v2/approvals/${newId('approval', 1, new Uint8Array(10))}/approve`]) {
    await kit.api.answer({
      method: 'POST', target: path, headers: Object.entries({ host: '127.0.0.1:57374', ...json }), address: '203.0.113.9', port: 57374, secure: false, hasBody: true, signal: new AbortController().signal,
      readBody: async (limit) => { limits.push(limit); return Buffer.from('{}'); },
    });
  }
  assert.equal(limits.length, 4);
  assert.ok(limits.every((limit) => limit <= 16 * 1024), String(limits));
});

test('a proof that does not count says nothing to who may not look: an approval of another tenant is as one that is not there', async () => {
  const store = createMemoryStore();
  const { approver, prove } = looseApprover('user:carol', 1, () => Date.now());
  const roomOf = (tenant: string | null): Approvals => createApprovals({ objects: tenantView(store, tenant), record: async () => undefined, clock, timers, random, isApprover: (by, list) => list.includes(by), approverKeys: () => [approver] });
  const kit = createKit({ authentication: true }, { store, approvals: roomOf });
  const [own, other] = [await putTenant(store, 1), await putTenant(store, 2)];
  const view = await roomOf(own).request({ ...push, approvers: ['user:dave'] });
  const nobodys = newId('approval', 5, new Uint8Array(10));
  const [stranger, reader, insider] = ['', (await mint(kit, { name: 'b', tenant: other, role: 'viewer' })).token, (await mint(kit, { name: 'a', tenant: own, role: 'viewer' })).token];
  const proof = { by: 'user:carol', at: new Date().toISOString(), key: approver.key, signature: 'AA==' };
  const said = async (id: string, token: string): Promise<string> => {
    const response = await post(kit, `/api/v2/approvals/${id}/approve`, token, { proof });
    return `${response.status} ${String(response.body).replaceAll(/"request_id":"[^"]*"/g, '').replaceAll(id, 'ID')}`;
  };
  for (const token of [stranger, reader]) {
    const there = await said(view.id, token);
    assert.equal(there, await said(nobodys, token));
    assert.match(there, /^403 .*auth\.proof/);
    assert.doesNotMatch(there, /dave|claude/);
  }
  assert.match(await said(view.id, insider), /^403 .*its proof is no signature of an approver key of user:carol/);
  // Whoever has the key has shown who they are, wherever they send it from, and hears why not.
  const signed = prove((at) => textOfDecision(view, { id: view.id, outcome: 'approve', by: 'user:carol' }, at));
  assert.ok(signed.kind === 'approver_key');
  const { kind: _, ...good } = signed;
  const answer = await post(kit, `/api/v2/approvals/${view.id}/approve`, stranger, { proof: { by: 'user:carol', ...good } });
  assert.match(String(answer.body), /user:carol is not on its list of approvers/);
});

test('the right to decide is handed out by who has it, or has just shown who they are', async () => {
  const asked: (string | undefined)[] = [];
  const kit = createKit({ authentication: true }, {
    assertFresh(_principal, attempted, gives) {
      asked.push(gives);
      if (gives === 'approve') throw new LokiError('auth.proof', { attempted, found: 'no' });
    },
  });
  const { token } = await mint(kit, { name: 'admin', tenant: null, role: 'admin' });
  assert.equal((await post(kit, '/api/v2/keys', token, { name: 'mine', scopes: ['approve'], owner: 'user:alice' })).status, 403);
  const { key } = await mint(kit, { name: 'hers', tenant: null, scopes: ['approve'], owner: 'user:alice', expiresAt: new Date(Date.now() + 60_000).toISOString() });
  assert.equal((await post(kit, `/api/v2/keys/${key.id}/rotate`, token, {})).status, 403);
  assert.equal((await send(kit.api, `/api/v2/keys/${key.id}`, { method: 'PUT', headers: { ...json, ...bearer(token) }, body: '{"expires_at":null}' })).status, 403);
  assert.equal((await post(kit, '/api/v2/keys', token, { name: 'reader', role: 'viewer' })).status, 201);
  assert.deepEqual(asked, ['approve', 'approve', 'approve', undefined]);
  assert.equal((await post(kit, '/api/v2/keys', token, { name: 'local', role: 'viewer' })).status, 409, 'the log would not tell it from the token of this machine');
});

test('keys of one name in two tenants share neither streams nor what is told of their use', async () => {
  const kit = createKit({ authentication: true, streams: { all: 100, perCaller: 2, heartbeatMs: 15_000 } });
  const [a, b] = [await putTenant(kit.store, 1), await putTenant(kit.store, 2)];
  const [first, second] = [(await mint(kit, { name: 'ci', tenant: a, role: 'viewer' })).token, (await mint(kit, { name: 'ci', tenant: b, role: 'viewer' })).token];
  const gone = new AbortController();
  const seen: number[] = [];
  for (const token of [second, second, second, first]) seen.push((await send(kit.api, '/api/v2/events', { headers: bearer(token), signal: gone.signal })).status);
  gone.abort();
  assert.deepEqual(seen, [200, 200, 429, 200]);
  assert.deepEqual(kit.recorded.filter(({ event }) => event === 'auth.token.use').map(({ metadata }) => metadata?.['tenant_id']), [b, a]);
});

test('what is refused for its state is not on record as done, and what is on record as revoked is', async () => {
  const kit = createKit({ authentication: true });
  const { token } = await mint(kit, { name: 'admin', tenant: null, role: 'admin' });
  const project = JSON.parse(String((await post(kit, '/api/v2/projects', token, { name: 'x' })).body)) as { readonly id: string };
  assert.equal((await send(kit.api, `/api/v2/projects/${project.id}`, { method: 'DELETE', headers: { ...bearer(token), 'if-match': '"another"' } })).status, 412);
  assert.ok(!kit.recorded.some(({ event }) => event === 'project.delete'));
  const { key } = await mint(kit, { name: 'lost', tenant: null, role: 'viewer' });
  const found = await kit.services.keys.find(null, key.id);
  assert.ok(found !== undefined);
  await kit.store.transact([], [{ key: `keys/${key.id}`, value: keyValue({ ...key, last_used: new Date().toISOString() }) }]);
  assert.notEqual((await kit.services.keys.revoke(found, { actor: 'user:root', scopes: new Set(['admin'] as const) })).revoked_at, null);
  assert.notEqual((await kit.services.keys.find(null, key.id))?.key.revoked_at, null);
});

test('a directory changes hands while nothing works in it, and asking again puts right what a crash left between', async () => {
  const assigned: (readonly [string, string | null])[] = [];
  const kit = createKit({ authentication: true }, { projects: { adopt: async () => undefined, placeOf: (path) => ({ id: projectId, path }), assign: (id, tenant) => { assigned.push([id, tenant]); }, isEnrolled: () => false } });
  const { token } = await mint(kit, { name: 'admin', tenant: null, role: 'admin' });
  const tenant = await putTenant(kit.store, 1);
  const register = (tenant_id: string | null): Promise<HttpResponse> => post(kit, '/api/v2/projects', token, { name: 'shop', path: '/srv/shop', tenant_id });
  assert.equal((await register(null)).status, 201);
  const run = await putRun(kit.store, 1, { project_id: projectId, status: 'running' });
  assert.match(String((await register(tenant)).body), new RegExp(`its run ${run} is running`));
  await putRun(kit.store, 1, { id: run, project_id: projectId, status: 'completed' });
  assert.equal((await register(tenant)).status, 201);
  assert.equal((await register(tenant)).status, 409);
  assert.deepEqual(assigned.slice(-2), [[projectId, tenant], [projectId, tenant]]);
});

test('a directory within one of another tenant, or around it, is registered for nobody else', async () => {
  const kit = createKit({ authentication: true }, { projects: { adopt: async () => undefined, placeOf: (path) => ({ id: projectIdOf(path), path }), assign: () => undefined, isEnrolled: () => false } });
  const { token } = await mint(kit, { name: 'admin', tenant: null, role: 'admin' });
  const [a, b] = [await putTenant(kit.store, 1), await putTenant(kit.store, 2)];
  const register = async (path: string, tenant_id: string | null): Promise<number> => (await post(kit, '/api/v2/projects', token, { name: 'x', path, tenant_id })).status;
  assert.equal(await register('/srv/shop', a), 201);
  for (const path of ['/srv', '/srv/shop/web']) for (const other of [b, null]) assert.equal(await register(path, other), 409, path);
  assert.deepEqual([await register('/srv/shop/web', a), await register('/srv/shopping', b)], [201, 201]);
});

test('a timeline that would fill the memory is refused, and told where to read it', async () => {
  const store = createMemoryStore();
  const run = await putRun(store, 1);
  await putEvents(store, run, 1, 3);
  const kit = createKit({}, { store });
  assert.equal((JSON.parse(String((await send(kit.api, `/api/v2/runs/${run}/timeline`)).body)) as { readonly events: readonly unknown[] }).events.length, 3);
  const many = Array.from({ length: 200 }, (_, at) => ({ key: runKeys.event(run, at + 4), revision: 1, value: { seq: at + 4, details: { large: 'x'.repeat(200_000) } } }));
  const full = createKit({}, { store: { ...store, list: async (prefix, options) => (prefix === runKeys.events(run) ? many : store.list(prefix, options)) } });
  const refused = await send(full.api, `/api/v2/runs/${run}/timeline`);
  assert.equal(refused.status, 413);
  assert.match(String(refused.body), /Read it as a stream/);
});

test('a request that the door refuses leaves no query in the log: a provider\'s code may stand there', async () => {
  const kit = createKit({ authentication: true });
  assert.equal((await send(kit.api, '/auth/callback?code=SECRET&state=S', { headers: { host: 'evil.example' } })).status, 403);
  assert.ok(kit.recorded.length > 0);
  assert.ok(!JSON.stringify(kit.recorded).includes('SECRET'));
});
