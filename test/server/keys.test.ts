/** Keys over the API: made, rotated, changed and revoked; what they open, from where and until when; and what nobody can do with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { newToken } from '../../lib/base/token.ts';
import { LokiError } from '../../lib/errors.ts';
import { random } from '../../lib/host/time.ts';
import { bodyOf, mint, send } from '../support/api-kit.ts';
import { alter, as, twoTenants, type World } from '../support/two-tenants.ts';

const object = (response: HttpResponse): JsonObject => bodyOf(response) as JsonObject;
const post = (world: World, caller: string, path: string, body: unknown): Promise<HttpResponse> => as(world, caller, `/api/v2${path}`, { method: 'POST', body });
const shows = (world: World, token: unknown, address?: string): Promise<number> => send(world.kit.api, '/api/v2/tasks', { headers: { authorization: `Bearer ${String(token)}` }, ...(address === undefined ? {} : { address }) }).then(({ status }) => status);

async function made(world: World, body: object): Promise<{ readonly id: string; readonly token: string }> {
  const response = await post(world, 'scope.admin', '/keys', body);
  assert.equal(response.status, 201, String(response.body));
  const { id, token } = object(response);
  return { id: String(id), token: String(token) };
}

test('a token is told once, at creation and at rotation, and is kept nowhere', async () => {
  const world = await twoTenants();
  const { id, token } = await made(world, { name: 'ci', role: 'viewer' });
  assert.match(token, /^loki_[0-9A-Za-z]{36}$/);
  const rotated = object(await post(world, 'scope.admin', `/keys/${id}/rotate`, {}));
  assert.deepEqual([rotated['rotated_from'], rotated['name'], rotated['tenant_id']], [id, 'ci', world.alpha.tenant]);
  const shown = await Promise.all([`/api/v2/keys/${id}`, `/api/v2/keys/${String(rotated['id'])}`, '/api/keys?limit=1000', '/api/v2/keys?limit=1000', '/api/v2/audit?limit=1000'].map(async (target) => String((await as(world, 'root', target)).body)));
  const everything = shown.join() + JSON.stringify(await world.store.list('', { limit: 10_000 })) + JSON.stringify(world.kit.recorded);
  for (const secret of [token, String(rotated['token'])]) assert.ok(!everything.includes(secret) && !everything.includes(secret.slice(5, 30)));
  assert.doesNotMatch(shown.join(), /"sha256"/);
});

test('after a rotation both tokens work until the grace is over; revoking ends the old one at once, and an end is never put off by rotating', async () => {
  const world = await twoTenants();
  const { alpha } = world;
  const old = await made(world, { name: 'ci', role: 'viewer' });
  const next = object(await post(world, 'scope.admin', `/keys/${old.id}/rotate`, { grace_period_hours: 2 }));
  assert.deepEqual([await shows(world, old.token), await shows(world, next['token'])], [200, 200]);
  const ends = Date.parse(String(object(await as(world, 'scope.admin', `/api/v2/keys/${old.id}`))['expires_at']));
  assert.ok(Math.abs(ends - Date.now() - 2 * 3_600_000) < 60_000);
  await alter(world.store, alpha.tenant, old.id, { expires_at: '2026-02-15T14:30:00.000Z' });
  assert.deepEqual([await shows(world, old.token), await shows(world, next['token'])], [401, 200]);
  assert.equal((await post(world, 'scope.admin', `/keys/${old.id}/rotate`, {})).status, 409, 'what does not count is not rotated');

  const second = object(await post(world, 'scope.admin', `/keys/${String(next['id'])}/rotate`, {}));
  assert.equal((await as(world, 'scope.admin', `/api/v2/keys/${String(next['id'])}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual([await shows(world, next['token']), await shows(world, second['token'])], [401, 200], 'early, in its grace');
  const third = object(await post(world, 'scope.admin', `/keys/${String(second['id'])}/rotate`, { grace_period_hours: 0 }));
  assert.deepEqual([await shows(world, second['token']), await shows(world, third['token'])], [401, 200], 'without any grace');

  const brief = await made(world, { name: 'brief', role: 'viewer', expires_at: new Date(Date.now() + 60_000).toISOString() });
  const turned = object(await post(world, 'scope.admin', `/keys/${brief.id}/rotate`, { grace_period_hours: 720 }));
  const { expires_at: briefEnd } = object(await as(world, 'scope.admin', `/api/v2/keys/${brief.id}`));
  assert.equal(briefEnd, turned['expires_at'], 'neither lasts longer than the first was given');
  for (const hours of [-1, 721, 1.5, '24', null]) assert.equal((await post(world, 'scope.admin', `/keys/${String(third['id'])}/rotate`, { grace_period_hours: hours })).status, 400, String(hours));
});

test('a revoked key stays told, does not come back, and revoking it again changes nothing', async () => {
  const world = await twoTenants();
  const { id, token } = await made(world, { name: 'ci', role: 'viewer' });
  const remove = (): Promise<HttpResponse> => as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'DELETE' });
  assert.deepEqual([(await remove()).status, (await remove()).status], [204, 204]);
  assert.equal(world.kit.recorded.filter(({ event }) => event === 'auth.token.revoke').length, 1);
  assert.equal((await as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'PUT', body: { expires_at: null } })).status, 200);
  assert.equal(await shows(world, token), 401);
  assert.deepEqual([object(await as(world, 'scope.admin', `/api/v2/keys/${id}`))['state'], (bodyOf(await as(world, 'scope.admin', '/api/keys?state=revoked')) as readonly JsonObject[]).some((key) => key['id'] === id)], ['revoked', true]);
});

test('a key counts from its addresses alone, and a list that is none is refused', async () => {
  const world = await twoTenants();
  const { token } = await made(world, { name: 'ci', role: 'viewer', cidrs: ['10.1.0.0/16', '192.168.7.7', '2001:db8::/32'] });
  for (const [address, status] of [
    ['10.1.255.255', 200], ['::ffff:10.1.0.1', 200], ['192.168.7.7', 200], ['2001:db8:1::9', 200],
    ['10.2.0.0', 401], ['192.168.7.8', 401], ['2001:db9::1', 401], ['127.0.0.1', 401], ['::1', 401], ['', 401], ['10.1.0.1.evil', 401],
  ] as const) assert.equal(await shows(world, token, address), status, address);
  for (const wrong of ['999.1.1.1', '10.0.0.0/33', '2001:db8::/129', '1.2.3', '::1::', '10.0.0.0/', ':', '....']) {
    const refused = await post(world, 'scope.admin', '/keys', { name: 'never', role: 'viewer', cidrs: ['10.0.0.0/8', wrong] });
    assert.deepEqual([refused.status, ((object(refused)['errors'] as readonly JsonObject[] | undefined)?.[0] ?? {})['pointer']], [400, '/cidrs/1'], `${wrong}: ${String(refused.body)}`);
  }
});

test('nobody gives out what they do not have, a decider has an owner, and nothing is made of what is refused', async () => {
  const world = await twoTenants();
  const before = await world.store.revision();
  const rows: readonly (readonly [caller: string, body: object, status: number, words: RegExp])[] = [
    ['scope.control', { name: 'k', role: 'viewer' }, 403, /needs the scope \\"admin\\"/],
    ['scope.admin', { name: 'k', scopes: ['approve'] }, 400, /no owner is named/],
    ['scope.admin', { name: 'k' }, 400, /neither a role nor a scope/],
    ['scope.admin', { name: 'k', role: 'viewer', scopes: ['hook'] }, 400, /scopes\.0/],
    ['scope.admin', { name: 'k', role: 'root' }, 400, /admin, operator, viewer, auditor/],
    ['scope.admin', { name: 'k', role: 'viewer', expires_at: '2026-01-01T00:00:00.000Z' }, 400, /expired already/],
    ['scope.admin', { name: 'k', role: 'viewer', expires_at: 'soon' }, 400, /expires_at/],
    ['scope.admin', { name: 'k', role: 'viewer', expires_at: '2030-02-30T00:00:00.000Z' }, 400, /expires_at/],
    ['scope.admin', { name: '../k', role: 'viewer' }, 400, /name/],
    ['scope.admin', { name: 'k', role: 'viewer', owner: 'alice' }, 400, /owner/],
    ['scope.admin', { name: 'k', role: 'viewer', tenant_id: world.beta.tenant }, 404, /there is no tenant/],
    ['root', { name: 'k', role: 'viewer', tenant_id: 'tnt_01J8Z3T5C6D7E8F9G0H1J2K3M4' }, 404, /there is no tenant/],
    ['scope.admin', { name: 'k', role: 'viewer', token: newToken(random), id: 'key_01J8Z3T5C6D7E8F9G0H1J2K3M4', created_by: 'user:root' }, 400, /"errors":\[.*token.*id.*created_by/],
  ];
  for (const [caller, body, status, words] of rows) {
    const refused = await post(world, caller, '/keys', body);
    assert.equal(refused.status, status, `${JSON.stringify(body)} ${String(refused.body)}`);
    assert.match(String(refused.body), words);
  }
  assert.equal(await world.store.revision(), before);
});

test('two keys in use never have one name, however they come to it', async () => {
  const world = await twoTenants();
  const both = await Promise.all([1, 2, 3].map(() => post(world, 'scope.admin', '/keys', { name: 'ci', role: 'viewer' })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409, 409], 'asked for at the same moment');
  const first = String(object(both.find(({ status }) => status === 201) as HttpResponse)['id']);
  const other = await made(world, { name: 'cd', role: 'viewer' });
  assert.equal((await as(world, 'scope.admin', `/api/v2/keys/${other.id}`, { method: 'PUT', body: { name: 'ci' } })).status, 409);
  const names = await Promise.all([first, other.id].map((id) => as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'PUT', body: { name: 'both' } })));
  assert.deepEqual(names.map(({ status }) => status).sort(), [200, 409], 'renamed at the same moment');
  assert.equal((await post(world, 'other', '/keys', { name: 'both', role: 'viewer' })).status, 201, 'each tenant has its own names');

  const past = await made(world, { name: 'past', role: 'viewer' });
  await alter(world.store, world.alpha.tenant, past.id, { expires_at: '2026-02-15T14:30:00.000Z' });
  const again = await made(world, { name: 'past', role: 'viewer' });
  const revived = await as(world, 'scope.admin', `/api/v2/keys/${past.id}`, { method: 'PUT', body: { expires_at: null } });
  assert.equal(revived.status, 409, 'one that is over does not come back beside its successor');
  assert.deepEqual([await shows(world, past.token), await shows(world, again.token)], [401, 200]);
});

test('where a person must stand behind it, nothing is made, turned or widened without', async () => {
  let fresh = true;
  const world = await twoTenants({}, { assertFresh: (_principal, attempted) => { if (!fresh) throw new LokiError('auth.proof', { attempted, found: 'nothing shows that a person stands behind it' }); } });
  const { id } = await made(world, { name: 'ci', role: 'viewer', cidrs: ['10.0.0.0/8'], expires_at: '2040-01-01T00:00:00.000Z' });
  fresh = false;
  const put = (body: object): Promise<number> => as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'PUT', body }).then(({ status }) => status);
  assert.equal((await post(world, 'scope.admin', '/keys', { name: 'other', role: 'viewer' })).status, 403);
  assert.equal((await post(world, 'scope.admin', `/keys/${id}/rotate`, {})).status, 403);
  for (const wider of [{ cidrs: [] }, { cidrs: ['10.0.0.0/8', '0.0.0.0/0'] }, { expires_at: null }, { expires_at: '2041-01-01T00:00:00.000Z' }]) assert.equal(await put(wider), 403, JSON.stringify(wider));
  for (const narrower of [{ expires_at: '2039-01-01T00:00:00.000Z' }, { name: 'ci-2' }]) assert.equal(await put(narrower), 200, JSON.stringify(narrower));
  assert.equal((await as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'DELETE' })).status, 204, 'ending one takes none');
});

test('a key with an owner and the scope approve decides as that person, and its owner does not change under it', async () => {
  const world = await twoTenants();
  const { id } = await made(world, { name: 'alice', scopes: ['approve'], owner: 'user:alice' });
  assert.equal((await as(world, 'scope.admin', `/api/v2/keys/${id}`, { method: 'PUT', body: { owner: 'user:mallory' } })).status, 409);
  assert.equal((await as(world, 'scope.approve', `/api/v2/approvals/${world.alpha.approval}/approve`, { method: 'POST', body: {} })).status, 200);
  const told = world.kit.recorded.find(({ event }) => event === 'approval.approve');
  assert.deepEqual([told?.actor, told?.metadata?.['tenant_id']], ['user:alice', world.alpha.tenant]);
});

test('ten thousand wrong tokens are held up, make nothing grow, and hold nobody else up', async () => {
  const world = await twoTenants({ rateLimit: 600 });
  const before = await world.store.revision();
  const statuses: Record<number, number> = {};
  const { token } = await mint(world.kit, { name: 'busy', tenant: world.alpha.tenant, role: 'viewer' });
  const guess = newToken(random);
  for (let n = 0; n < 10_000; n += 1) {
    const { status } = await send(world.kit.api, '/api/v2/tasks', { headers: { authorization: `Bearer ${guess.slice(0, -5)}${String(n).padStart(5, '0')}` } });
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  assert.deepEqual(Object.keys(statuses), ['401', '429']);
  assert.ok((statuses[401] ?? 0) <= 25, `${statuses[401]} were looked at`);
  assert.equal(await shows(world, token), 200, 'from the same address, with the right one');
  assert.ok(world.kit.recorded.filter(({ event }) => event === 'auth.fail').length <= 25);
  assert.ok(world.kit.recorded.length < 200, 'nor does the log grow');
  assert.equal(await world.store.revision() - before, 1, 'the one key that was made');
});
