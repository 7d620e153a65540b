/** Tenants over the API: made, named, changed and taken away, by administrators of the installation alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { bodyOf } from '../support/api-kit.ts';
import { as, putProject, twoTenants, type World } from '../support/two-tenants.ts';

const object = (response: HttpResponse): JsonObject => bodyOf(response) as JsonObject;
const make = (world: World, body: object): Promise<HttpResponse> => as(world, 'root', '/api/v2/tenants', { method: 'POST', body });

async function made(world: World, slug: string): Promise<string> {
  const response = await make(world, { name: slug, slug });
  assert.equal(response.status, 201, String(response.body));
  return String(object(response)['id']);
}

test('a tenant is made with its slug, which no other has, and shown where it says', async () => {
  const world = await twoTenants();
  const response = await make(world, { name: 'Payments', slug: 'payments', description: 'line one\nline two' });
  const { id, name, slug, description } = object(response);
  assert.deepEqual([response.status, name, slug, description, response.headers['Location']], [201, 'Payments', 'payments', 'line one\nline two', `/api/v2/tenants/${String(id)}`]);
  assert.deepEqual(object(await as(world, 'root', response.headers['Location'] ?? '')), object(response));
  const taken = await make(world, { name: 'Others', slug: 'payments' });
  assert.deepEqual([taken.status, object(taken)['code']], [409, 'conflict']);
  const atOnce = await Promise.all([1, 2, 3].map(() => make(world, { name: 'x', slug: 'at-once' })));
  assert.deepEqual(atOnce.map(({ status }) => status).sort(), [201, 409, 409]);
  for (const wrong of ['', '-a', 'a-', 'A', 'a_b', 'a b', 'é', '../x', 'a'.repeat(64), 'a/b', '%2e', null, 5]) assert.equal((await make(world, { name: 'x', slug: wrong })).status, 400, String(wrong));
});

test('every mistake in a body is told at once, each with its place', async () => {
  const world = await twoTenants();
  const response = await make(world, { name: '', slug: 'A', description: 'a\u0000', id: 'tnt_01J8Z3T5C6D7E8F9G0H1J2K3M4', created_at: 'now' });
  assert.equal(response.status, 400);
  assert.deepEqual((object(response)['errors'] as readonly JsonObject[]).map(({ pointer }) => pointer), ['/id', '/created_at', '/name', '/slug', '/description']);
});

test('a slug that is given up is free, and one that is taken is not taken again', async () => {
  const world = await twoTenants();
  const [one, two] = [await made(world, 'one'), await made(world, 'two')];
  const put = (id: string, body: object): Promise<HttpResponse> => as(world, 'root', `/api/v2/tenants/${id}`, { method: 'PUT', body });
  assert.equal((await put(one, { slug: 'two' })).status, 409);
  assert.equal(object(await put(one, { slug: 'uno' }))['slug'], 'uno');
  assert.equal((await put(two, { slug: 'one', name: 'Second' })).status, 200);
  assert.equal((await put(two, { slug: 'one' })).status, 200, 'its own');
  assert.deepEqual((await Promise.all([put(one, { slug: 'both' }), put(two, { slug: 'both' })])).map(({ status }) => status).sort(), [200, 409]);
  assert.equal((await as(world, 'root', `/api/v2/tenants/${two}`, { method: 'DELETE' })).status, 204);
  assert.equal((await as(world, 'root', `/api/v2/tenants/${one}`, { method: 'DELETE' })).status, 204);
  for (const slug of ['uno', 'one', 'two', 'both']) assert.equal((await make(world, { name: 'x', slug })).status, 201, slug);
});

test('a tenant with projects or with keys that count is not taken away', async () => {
  const world = await twoTenants();
  const id = await made(world, 'full');
  const remove = (): Promise<HttpResponse> => as(world, 'root', `/api/v2/tenants/${id}`, { method: 'DELETE' });
  const project = await putProject(world.store, id, 'the last project');
  const withProject = await remove();
  assert.deepEqual([withProject.status, /the last project/.test(String(withProject.body))], [409, true]);
  assert.equal((await as(world, 'root', `/api/v2/projects/${project}`, { method: 'DELETE' })).status, 204);
  const key = object(await as(world, 'root', '/api/v2/keys', { method: 'POST', body: { name: 'k', role: 'admin', tenant_id: id } }));
  assert.match(String((await remove()).body), /1 of its keys count/);
  assert.equal((await as(world, 'root', `/api/v2/keys/${String(key['id'])}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual([(await remove()).status, (await remove()).status, (await as(world, 'root', `/api/v2/tenants/${id}`)).status], [204, 404, 404]);
  assert.equal((await as(world, 'root', '/api/v2/keys', { method: 'POST', body: { name: 'k', role: 'admin', tenant_id: id } })).status, 404, 'nothing is made in it any more');
  assert.equal((await as(world, 'root', '/api/v2/projects', { method: 'POST', body: { name: 'p', tenant_id: id } })).status, 404);
});

test('what is made in a tenant while it is taken away is not left behind', async () => {
  for (let round = 0; round < 6; round += 1) {
    const world = await twoTenants();
    const id = await made(world, 'brief');
    const [removed, project, key] = await Promise.all([
      as(world, 'root', `/api/v2/tenants/${id}`, { method: 'DELETE' }),
      as(world, 'root', '/api/v2/projects', { method: 'POST', body: { name: 'p', tenant_id: id } }),
      as(world, 'root', '/api/v2/keys', { method: 'POST', body: { name: 'k', role: 'viewer', tenant_id: id } }),
    ]);
    const left = await world.store.list(`t/${id}/`, { limit: 10 });
    const lives = await world.store.get(`tenants/${id}`) !== undefined;
    assert.ok(lives || left.length === 0, `${removed.status} ${project.status} ${key.status}: ${left.map((entry) => entry.key).join()}`);
  }
});

test('a tenant\'s own see it, and no other; only the installation\'s administrators change any', async () => {
  const world = await twoTenants();
  const { alpha, beta } = world;
  for (const [caller, own] of [['scope.read', alpha.tenant], ['scope.admin', alpha.tenant], ['other', beta.tenant]] as const) {
    assert.deepEqual((object(await as(world, caller, '/api/v2/tenants'))['data'] as readonly JsonObject[]).map(({ id }) => id), [own], caller);
  }
  assert.deepEqual([(await as(world, 'other', `/api/v2/tenants/${alpha.tenant}`)).status, (await as(world, 'other', `/api/v2/tenants/${alpha.tenant}/projects`)).status], [404, 404]);
  for (const [method, target] of [['POST', '/api/v2/tenants'], ['PUT', `/api/v2/tenants/${alpha.tenant}`], ['DELETE', `/api/v2/tenants/${alpha.tenant}`]] as const) {
    assert.equal((await as(world, 'scope.admin', target, { method, ...(method === 'DELETE' ? {} : { body: { name: 'x', slug: 'x' } }) })).status, 403, `${method} ${target}`);
  }
  const all = object(await as(world, 'root', '/api/v2/tenants?limit=1'));
  assert.ok(typeof all['next_cursor'] === 'string');
  assert.equal(((await as(world, 'root', `/api/v2/tenants?limit=1&cursor=${all['next_cursor']}`)).status), 200);
});
