/** Projects over the API: with a directory or without, of a tenant or of nobody; whose they become, and when they stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import { projectIdOf } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { LokiError } from '../../lib/errors.ts';
import type { ProjectService } from '../../lib/server/services.ts';
import { bodyOf } from '../support/api-kit.ts';
import { as, mark, putOrder, putProject, twoTenants, type World } from '../support/two-tenants.ts';

const object = (response: HttpResponse): JsonObject => bodyOf(response) as JsonObject;
const post = (world: World, caller: string, body: unknown): Promise<HttpResponse> => as(world, caller, '/api/v2/projects', { method: 'POST', body });

/** Directories below /srv are there; what is assigned to whom is written down; /srv/enrolled is enrolled. */
async function withDirectories(): Promise<{ readonly world: World; readonly assigned: readonly (readonly [string, string | null])[] }> {
  const assigned: (readonly [string, string | null])[] = [];
  const projects: ProjectService = {
    adopt: async () => undefined,
    placeOf(path) {
      if (!path.startsWith('/srv/')) throw new LokiError('request.invalid', { attempted: 'register the directory', found: 'it is none' });
      return { id: projectIdOf(path), path };
    },
    assign: (id, tenant) => { assigned.push([id, tenant]); }, isEnrolled: (id) => id === projectIdOf('/srv/enrolled'),
  };
  return { world: await twoTenants({}, { projects }), assigned };
}

test('a tenant\'s project is that tenant\'s, and a directory is registered by an administrator of the installation alone', async () => {
  const { world, assigned } = await withDirectories();
  const { alpha, beta } = world;
  const own = object(await post(world, 'scope.control', { name: `${mark} new` }));
  assert.deepEqual([own['tenant_id'], own['path']], [alpha.tenant, null]);
  for (const caller of ['scope.control', 'scope.admin', 'other']) {
    const refused = await post(world, caller, { name: 'x', path: '/srv/x' });
    assert.equal(refused.status, 403, caller);
    assert.equal((await post(world, caller, { name: 'x', path: '/nowhere' })).status, 403, 'and what is there is not told');
  }
  for (const path of ['srv/x', '', '/nowhere', `/${'a'.repeat(5000)}`, '/srv/\u0000', 5]) assert.equal((await post(world, 'root', { name: 'x', path })).status, 400, String(path).slice(0, 20));
  const placed = object(await post(world, 'root', { name: 'placed', path: '/srv/x', tenant_id: beta.tenant }));
  assert.deepEqual([placed['id'], placed['tenant_id'], placed['path'], assigned], [projectIdOf('/srv/x'), beta.tenant, '/srv/x', [[projectIdOf('/srv/x'), beta.tenant]]]);
  assert.equal((await as(world, 'other', `/api/v2/projects/${projectIdOf('/srv/x')}`)).status, 200);
  assert.equal((await as(world, 'scope.read', `/api/v2/projects/${projectIdOf('/srv/x')}`)).status, 404);
});

test('a directory has one project: the installation\'s goes over to a tenant, a tenant\'s to nobody', async () => {
  const { world } = await withDirectories();
  const { alpha, beta } = world;
  assert.equal((await post(world, 'root', { name: 'first', path: '/srv/x' })).status, 201);
  assert.equal((await post(world, 'root', { name: 'again', path: '/srv/x' })).status, 409);
  const moved = await post(world, 'root', { name: 'moved', path: '/srv/x', tenant_id: alpha.tenant });
  assert.deepEqual([moved.status, object(moved)['tenant_id']], [201, alpha.tenant]);
  for (const tenant_id of [alpha.tenant, beta.tenant, null]) assert.equal((await post(world, 'root', { name: 'taken', path: '/srv/x', tenant_id })).status, 409);
  assert.equal(await world.store.get(`projects/${projectIdOf('/srv/x')}`), undefined, 'it is in one place');
  const both = await Promise.all([alpha, beta].map(({ tenant }) => post(world, 'root', { name: 'race', path: '/srv/race', tenant_id: tenant })));
  const found = (await world.store.list('t/', { limit: 1000 })).filter(({ key }) => key.endsWith(`projects/${projectIdOf('/srv/race')}`));
  assert.deepEqual([both.map(({ status }) => status).sort(), found.length], [[201, 409], 1], 'a directory is not of two tenants');
});

test('a project stays while a run of it goes on, while it is enrolled, and to whoever may not release its directory', async () => {
  const { world, assigned } = await withDirectories();
  const { alpha, store } = world;
  const remove = (caller: string, id: string): Promise<HttpResponse> => as(world, caller, `/api/v2/projects/${id}`, { method: 'DELETE' });
  const busy = await putProject(store, alpha.tenant, `${mark} busy`);
  const { run } = await putOrder(world.kit, alpha.tenant, busy, 'x');
  const refused = await remove('scope.control', busy);
  assert.deepEqual([refused.status, String(refused.body).includes(run)], [409, true]);
  assert.equal((await as(world, 'scope.control', `/api/v2/runs/${run}/cancel`, { method: 'POST', body: {} })).status, 200);
  assert.equal((await remove('scope.control', busy)).status, 204);
  assert.equal((await as(world, 'scope.read', `/api/v2/runs/${run}`)).status, 200, 'what happened in it stays told');
  await post(world, 'root', { name: 'x', path: '/srv/x', tenant_id: alpha.tenant });
  assert.equal((await remove('scope.control', projectIdOf('/srv/x'))).status, 403);
  assert.equal((await remove('root', projectIdOf('/srv/x'))).status, 204);
  assert.deepEqual(assigned.at(-1), [projectIdOf('/srv/x'), null]);
  await post(world, 'root', { name: 'e', path: '/srv/enrolled' });
  assert.equal((await remove('root', projectIdOf('/srv/enrolled'))).status, 409);
});

test('name and description change, whose it is and where it lies do not', async () => {
  const { world } = await withDirectories();
  const put = (body: object): Promise<HttpResponse> => as(world, 'scope.control', `/api/v2/projects/${world.alpha.project}`, { method: 'PUT', body });
  assert.deepEqual([object(await put({ name: 'New' }))['name'], object(await put({ description: 'a\nb' }))['name']], ['New', 'New']);
  for (const body of [{ tenant_id: world.beta.tenant }, { path: '/srv/x' }, { id: 'x' }, { name: '' }, { name: null }]) assert.equal((await put(body)).status, 400, JSON.stringify(body));
});
