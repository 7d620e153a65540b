/** Every way in which something of another tenant could be reached, named, counted or held up, other than by its path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { random } from '../../lib/host/time.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { bodyOf, mint, putEvents, putRun, send } from '../support/api-kit.ts';
import { as, mark, putApproval, putOrder, putTask, textOf, twoTenants, type World } from '../support/two-tenants.ts';

const object = (body: unknown): JsonObject => body as JsonObject;
const page = (body: unknown): { readonly data: readonly JsonObject[]; readonly next_cursor: string | null } => body as never;

/** Two keys of one name and the same rights, one in each tenant: what tells them apart is the tenant alone. */
async function namesakes(world: World, name = 'ci'): Promise<{ readonly one: string; readonly two: string }> {
  const make = async (tenant: string): Promise<string> => `Bearer ${(await mint(world.kit, { name, role: 'admin', tenant })).token}`;
  return { one: await make(world.alpha.tenant), two: await make(world.beta.tenant) };
}

test('a cursor goes on in the tenant that it was given out in, and in no other, not for an administrator either', async () => {
  const world = await twoTenants();
  for (let n = 0; n < 3; n += 1) await putTask(world.store, world.alpha.tenant, world.alpha.project, `${mark} ${n}`);
  for (const list of ['tasks', `tasks?project_id=${world.alpha.project}`, 'keys', 'audit']) {
    const target = `/api/v2/${list}${list.includes('?') ? '&' : '?'}limit=1`;
    const scope = list === 'audit' ? 'scope.audit' : list === 'keys' ? 'scope.admin' : 'scope.read';
    const { next_cursor: cursor } = page(bodyOf(await as(world, scope, target)));
    assert.ok(typeof cursor === 'string', list);
    assert.equal((await as(world, scope, `${target}&cursor=${cursor}`)).status, 200, list);
    for (const caller of ['other', 'root']) {
      const refused = await as(world, caller, `${target}&cursor=${cursor}`);
      assert.deepEqual([refused.status, object(bodyOf(refused))['code']], [400, 'request.invalid'], `${list} as ${caller}`);
    }
  }
});

test('an Idempotency-Key is that of whoever sends it: the same one of a namesake in another tenant is another', async () => {
  const world = await twoTenants();
  const { one, two } = await namesakes(world);
  const post = (authorization: string, project: string): ReturnType<typeof send> => send(world.kit.api, '/api/v2/tasks', {
    method: 'POST', headers: { authorization, 'content-type': 'application/json', 'idempotency-key': 'nightly' }, body: JSON.stringify({ project_id: project, title: 'the same' }),
  });
  const [first, second, again] = [await post(one, world.alpha.project), await post(two, world.beta.project), await post(one, world.alpha.project)];
  assert.deepEqual([first.status, second.status, again.status], [201, 201, 201]);
  assert.deepEqual([second.headers['Idempotency-Replayed'], again.headers['Idempotency-Replayed']], [undefined, 'true']);
  assert.notEqual(object(bodyOf(first))['id'], object(bodyOf(second))['id']);
  const asked = await post(two, world.alpha.project);
  assert.equal(asked.status, 422, 'its own key was sent before with another request; of the other tenant nothing is told');
  for (const { key } of await world.store.list('idempotency/', { limit: 10 })) assert.fail(`${key} lies outside of any tenant`);
});

test('two objects that look alike have tags of their own in each tenant: the other one\'s matches nothing', async () => {
  const world = await twoTenants();
  const id = newId('task', 99, random.bytes(10));
  for (const tenant of [world.alpha.tenant, world.beta.tenant]) await tenantView(world.store, tenant).transact([], [{ key: `tasks/${id}`, value: { id, title: 'alike' } }]);
  const tagOf = async (caller: string): Promise<string> => (await as(world, caller, `/api/v2/tasks/${id}`)).headers['ETag'] ?? '';
  const [ours, theirs] = [await tagOf('scope.write'), await tagOf('other')];
  assert.ok(ours !== '' && ours !== theirs);
  assert.equal((await as(world, 'other', `/api/v2/tasks/${id}`, { headers: { 'if-none-match': ours } })).status, 200);
  assert.equal((await as(world, 'other', `/api/v2/tasks/${id}`, { method: 'PUT', body: { title: 'b' }, headers: { 'if-match': ours } })).status, 412);
  assert.equal((await as(world, 'other', `/api/v2/tasks/${id}`, { method: 'PUT', body: { title: 'b' }, headers: { 'if-match': theirs } })).status, 200);
  assert.equal((await as(world, 'scope.write', `/api/v2/tasks/${id}`, { headers: { 'if-none-match': ours } })).status, 304, 'the first one is as it was');
});

test('a run is reached through its own tenant\'s project and token alone: parents and children do not mix', async () => {
  const world = await twoTenants();
  const { alpha, beta } = world;
  const report = { events: [{ event_type: 'log', details: {} }] };
  const nowhere = newId('run', 3, random.bytes(10));
  for (const run of [alpha.run, nowhere]) assert.equal((await as(world, 'otherRun', `/api/v2/runs/${run}/events`, { method: 'POST', body: report })).status, 404, run);
  assert.equal((await as(world, 'run', `/api/v2/runs/${beta.run}/events`, { method: 'POST', body: report })).status, 404);
  for (const filter of [`project_id=${alpha.project}`, `project_id=${alpha.project}&status=pending`]) assert.deepEqual(page(bodyOf(await as(world, 'other', `/api/v2/runs?${filter}`))).data, []);
  const bodies: readonly (readonly [string, object])[] = [
    ['tasks', { project_id: alpha.project, title: 't' }], ['runs', { project_id: alpha.project }], ['projects', { name: 'p', tenant_id: alpha.tenant }], ['keys', { name: 'k', role: 'viewer', tenant_id: alpha.tenant }],
  ];
  for (const [list, body] of bodies) {
    const refused = await as(world, 'other', `/api/v2/${list}`, { method: 'POST', body });
    assert.equal(refused.status, 404, `${list} ${JSON.stringify(body)} ${String(refused.body)}`);
  }
  for (const [list, body] of [['projects', { name: 'p', tenant_id: null }], ['keys', { name: 'k', role: 'viewer', tenant_id: null }]] as const) assert.equal((await as(world, 'other', `/api/v2/${list}`, { method: 'POST', body })).status, 403, list);
  assert.equal((await as(world, 'scope.control', '/api/v2/projects', { method: 'POST', body: { name: 'p', path: '/srv' } })).status, 403, 'nor does a tenant register a directory');
});

test('Last-Event-ID of another tenant\'s stream opens nothing, and no change of another tenant is broadcast', async () => {
  const world = await twoTenants();
  const { alpha, beta, store } = world;
  await putEvents(tenantView(store, alpha.tenant), alpha.run, 4, 9);
  for (const run of [alpha.run, newId('run', 3, random.bytes(10))]) assert.equal((await as(world, 'other', `/api/v2/runs/${run}/events`, { headers: { 'last-event-id': '8' } })).status, 404);
  assert.equal((await as(world, 'other', `/api/v2/runs/${beta.run}/events`, { headers: { 'last-event-id': '8' } })).status, 410, 'its own run has three');
  const control = new AbortController();
  const all = ['scope.read', 'other', 'root'].map(async (caller) => textOf(await as(world, caller, '/api/v2/events', { signal: control.signal })));
  await pause(5);
  for (const [tenant, status] of [[alpha.tenant, `${mark} at work`], [beta.tenant, 'beta at work'], [null, 'nobody at work']] as const) await putRun(tenantView(store, tenant), 50, { result_summary: { said: status }, tenant_id: tenant });
  await pause(10);
  control.abort();
  const [ours = '', theirs = '', everybodys = ''] = await Promise.all(all);
  const heard = (text: string): readonly string[] => [...text.matchAll(/"said":"([^"]*)"/g)].map(([, said = '']) => said);
  assert.deepEqual([heard(ours), heard(theirs), heard(everybodys)], [[`${mark} at work`], ['beta at work'], [`${mark} at work`, 'beta at work', 'nobody at work']]);
  assert.ok(!theirs.includes(mark) && !theirs.includes(alpha.tenant));
});

test('where one tenant\'s stream of changes stands means nothing in another, and does not tell how much happens there', async () => {
  const world = await twoTenants();
  const idsOf = async (caller: string, headers: Record<string, string> = {}): Promise<{ readonly status: number; readonly ids: readonly string[] }> => {
    const control = new AbortController();
    void pause(5).then(() => control.abort());
    const response = await as(world, caller, '/api/v2/events', { headers, signal: control.signal });
    const text = await textOf(response);
    return { status: response.status, ids: [...text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id) };
  };
  const [ours = ''] = (await idsOf('scope.read')).ids;
  const [theirs = ''] = (await idsOf('other')).ids;
  assert.ok(ours !== '' && theirs !== '' && !/^\d+$/.test(ours), `a tenant's place is sealed: ${ours}`);
  assert.equal((await idsOf('scope.read', { 'last-event-id': ours })).status, 200);
  for (const id of [theirs, ours.slice(1), '3', 'x'.repeat(2000), '..']) assert.equal((await idsOf('scope.read', { 'last-event-id': id })).status, 400, id.slice(0, 40));
});

test('the log shows, counts and exports a tenant its own entries', async () => {
  const world = await twoTenants();
  const { alpha } = world;
  await as(world, 'scope.write', '/api/v2/tasks', { method: 'POST', body: { project_id: alpha.project, title: `${mark} task` } });
  for (const target of ['/api/v2/audit?limit=1000', '/api/audit', '/api/v2/audit?text=ALPHA', `/api/v2/audit?actor=token:${mark}.scope.write`, '/api/v2/audit/summary', '/api/v2/audit/export?format=json']) {
    const text = await textOf(await as(world, 'other', target));
    assert.ok(!text.includes(mark) && !text.includes(alpha.tenant), `${target}: ${text.slice(0, 200)}`);
    assert.ok((await textOf(await as(world, 'scope.audit', target))).includes(mark), target);
  }
  const counts = object(bodyOf(await as(world, 'other', '/api/v2/audit/summary?period=7d')));
  assert.deepEqual(Object.keys(object(counts['by_actor'])).filter((actor) => actor.includes(mark) && !actor.includes('root')), [], 'nobody of another tenant is counted');
  const all = world.kit.recorded.filter(({ actor }) => actor === 'token:Beta.all');
  assert.ok(all.length > 0 && all.every(({ metadata }) => metadata?.['tenant_id'] === world.beta.tenant), 'what a tenant\'s principal does is filed under it');
});

test('metrics name no tenant, key, project, run or person', async () => {
  const world = await twoTenants();
  for (const target of ['/api/v2/tasks', `/api/v2/runs/${world.alpha.run}`, `/api/v2/nothing/${world.alpha.run}`, `/api/v2/tasks?project_id=${world.alpha.project}`]) await as(world, 'scope.read', target);
  const text = String((await as(world, undefined, '/metrics')).body);
  assert.match(text, /loki_http_requests_total/);
  assert.doesNotMatch(text, /ALPHA|Beta|(?:tnt|prj|run|key|tsk)_[0-9A-Z]{26}|token:/);
});

test('one tenant uses up nobody else\'s allowance, streams or notes of who was seen', async () => {
  const world = await twoTenants({ rateLimit: 30, streams: { all: 100, perCaller: 2, heartbeatMs: 15_000 } });
  const { one, two } = await namesakes(world);
  const get = (authorization: string, target = '/api/v2/tasks', control = new AbortController()): ReturnType<typeof send> => send(world.kit.api, target, { headers: { authorization }, signal: control.signal });
  const statuses = new Set<number>();
  for (let n = 0; n < 32; n += 1) statuses.add((await get(one)).status);
  assert.deepEqual(statuses, new Set([200, 429]));
  const other = await get(two);
  assert.deepEqual([other.status, other.headers['X-RateLimit-Remaining']], [200, '29']);
  const control = new AbortController();
  for (const expected of [200, 200, 429]) assert.equal((await get(one, '/api/v2/events', control)).status, expected);
  assert.equal((await get(two, '/api/v2/events', control)).status, 200, 'a namesake in another tenant has streams of its own');
  const full = await get(one, '/api/v2/events', control);
  assert.doesNotMatch(String(full.body), /\b3 are open/, 'how many others have is not told');
  control.abort();
  const uses = world.kit.recorded.filter(({ event, actor }) => event === 'auth.token.use' && actor === 'token:ci').map(({ metadata }) => metadata?.['tenant_id']);
  assert.deepEqual(uses, [world.alpha.tenant, world.beta.tenant], 'each key\'s first use is on record');
});

test('a made-up signature does not tell whether another tenant has such an approval', async () => {
  const world = await twoTenants();
  const { alpha } = world;
  const there = await putApproval(world.kit, alpha.tenant, alpha.project, `${mark} rule`);
  const nowhere = newId('approval', 3, random.bytes(10));
  const proof = { by: 'user:mallory', at: '2026-02-15T14:30:00.000Z', key: 'SHA256:AAAA', signature: 'AAAA' };
  for (const caller of [undefined, 'other', 'scope.approve', 'run']) {
    const answers = [];
    for (const id of [there, nowhere]) {
      const response = await as(world, caller === 'scope.approve' && id === there ? 'other' : caller, `/api/v2/approvals/${id}/approve`, { method: 'POST', body: { proof } });
      answers.push([response.status, String(response.body).replaceAll(id, 'ID').replaceAll(/req_\w+/g, 'REQ')]);
    }
    assert.deepEqual(answers[0], answers[1], caller ?? 'nobody');
  }
});

test('a session of a key is of that key\'s tenant, and a tenant that is gone takes its keys, runs and sessions along', async () => {
  const world = await twoTenants();
  const { alpha, beta, store } = world;
  const key = await mint(world.kit, { name: 'browser', role: 'admin', tenant: beta.tenant });
  const signedIn = await send(world.kit.api, '/auth/session', { method: 'POST', headers: { authorization: `Bearer ${key.token}`, 'content-type': 'application/json' }, body: '{}' });
  assert.equal(signedIn.status, 201);
  const cookie = (signedIn.cookies?.[0] ?? '').split(';')[0] ?? '';
  const get = (target: string): ReturnType<typeof send> => send(world.kit.api, target, { headers: { cookie } });
  assert.equal((await get(`/api/v2/runs/${alpha.run}`)).status, 404);
  assert.equal((await get(`/api/v2/runs/${beta.run}`)).status, 200);
  const forged = cookie.replace(beta.tenant, alpha.tenant);
  assert.equal((await send(world.kit.api, '/api/v2/runs', { headers: { cookie: forged } })).status, 401, 'the tenant in a cookie is not for the browser to choose');
  const { runToken, run } = await putOrder(world.kit, beta.tenant, beta.project, 'last');
  await store.transact([], [{ key: `tenants/${beta.tenant}`, value: undefined }]);
  assert.equal((await get('/api/v2/runs')).status, 401);
  assert.equal((await as(world, 'other', '/api/v2/runs')).status, 401);
  const report = await send(world.kit.api, `/api/v2/runs/${run}/events`, { method: 'POST', headers: { authorization: `Bearer ${runToken}`, 'content-type': 'application/json' }, body: '{"events":[{"event_type":"log","details":{}}]}' });
  assert.equal(report.status, 401, String(report.body));
});
