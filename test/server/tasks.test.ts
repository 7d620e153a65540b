/** Tasks over the API: put in, found, changed and taken out, with every mistake told at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import { newId } from '../../lib/base/ids.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { random } from '../../lib/host/time.ts';
import { bodyOf } from '../support/api-kit.ts';
import { as, putProject, twoTenants, type World } from '../support/two-tenants.ts';

const object = (response: HttpResponse): JsonObject => bodyOf(response) as JsonObject;
const post = (world: World, body: unknown): Promise<HttpResponse> => as(world, 'scope.write', '/api/v2/tasks', { method: 'POST', body });
const idsOf = async (world: World, query: string): Promise<readonly unknown[]> => (bodyOf(await as(world, 'scope.read', `/api/tasks?${query}`)) as readonly JsonObject[]).map(({ id }) => id);

test('a task has what it was given, and the usual where nothing was said', async () => {
  const world = await twoTenants();
  const response = await post(world, { project_id: world.alpha.project, title: 'Add a login page' });
  const { id, created_at, updated_at, ...rest } = object(response);
  assert.deepEqual([response.status, rest, created_at === updated_at], [201, { project_id: world.alpha.project, title: 'Add a login page', description: '', status: 'pending', priority: 'medium' }, true]);
  for (const version of ['/api', '/api/v2']) assert.deepEqual(object(await as(world, 'scope.read', `${version}/tasks/${String(id)}`)), object(response));
  const changed = object(await as(world, 'scope.write', `/api/v2/tasks/${String(id)}`, { method: 'PUT', body: { description: 'with a\ttab\nand a line' } }));
  assert.deepEqual([changed['title'], changed['description'], changed['created_at']], ['Add a login page', 'with a\ttab\nand a line', created_at]);
  assert.equal((await as(world, 'scope.write', `/api/v2/tasks/${String(id)}`, { method: 'DELETE' })).status, 204);
  assert.equal((await as(world, 'scope.read', `/api/v2/tasks/${String(id)}`)).status, 404);
});

test('each mistake of a body is told with its place, and no text of it is repeated', async () => {
  const world = await twoTenants();
  const before = await world.store.revision();
  const rows: readonly (readonly [body: unknown, pointers: readonly string[]])[] = [
    [{}, ['/project_id', '/title']],
    [{ project_id: 'sesame', title: 5, status: 'done', priority: null, description: ['sesame'], sesame: 1 }, ['/sesame', '/project_id', '/title', '/description', '/status', '/priority']],
    [{ project_id: world.alpha.project, title: '' }, ['/title']], [{ project_id: world.alpha.project, title: 'a'.repeat(501) }, ['/title']],
    [{ project_id: world.alpha.project, title: 'a\u0000b' }, ['/title']], [{ project_id: world.alpha.project, title: 'a\r\nX: y' }, ['/title']],
    [{ project_id: world.alpha.project, title: 'a', id: world.alpha.task, tenant_id: world.beta.tenant, created_at: '2026-02-15T14:30:00.000Z' }, ['/id', '/tenant_id', '/created_at']],
    [{ project_id: world.alpha.project, title: 'a', constructor: 1, 'a/b~c': 1 }, ['/constructor', '/a~1b~0c']],
    [[], ['']], [null, ['']], ['text', ['']], [5, ['']],
  ];
  for (const [body, pointers] of rows) {
    const refused = await post(world, body === 'text' ? '"text"' : body);
    assert.equal(refused.status, 400, JSON.stringify(body));
    assert.deepEqual((object(refused)['errors'] as readonly JsonObject[]).map(({ pointer }) => pointer), pointers, String(refused.body));
    if (!Object.hasOwn(Object(body), 'sesame')) assert.ok(!String(refused.body).includes('sesame'));
  }
  for (const text of ['{"title":"a","title":"b"}', '{"__proto__":{},"title":"a"}', '{"title":"\\ud800"}', '[[[[', '', '{"title":1e999}', `${'['.repeat(100)}${']'.repeat(100)}`, 'NaN', "{'title':'a'}"]) {
    const refused = await post(world, text);
    assert.equal(refused.status, 400, text.slice(0, 40));
  }
  assert.equal(await world.store.revision(), before);
});

test('an update with nothing in it, with what cannot be changed, or to what is no status', async () => {
  const world = await twoTenants();
  const put = (body: unknown): Promise<HttpResponse> => as(world, 'scope.write', `/api/v2/tasks/${world.alpha.task}`, { method: 'PUT', body });
  assert.equal((await put({})).status, 200);
  for (const body of [{ project_id: world.beta.project }, { id: world.beta.task }, { created_at: '2026-01-01T00:00:00.000Z' }, { status: 'cancelled' }, { priority: 'urgent' }]) assert.equal((await put(body)).status, 400, JSON.stringify(body));
  assert.match(String((await put({ status: 'complete' })).body), /did you mean \\"completed\\"/);
});

test('a task that comes into a status is told as such, once', async () => {
  const world = await twoTenants();
  const put = (status: string): Promise<HttpResponse> => as(world, 'scope.write', `/api/v2/tasks/${world.alpha.task}`, { method: 'PUT', body: { status } });
  for (const status of ['in_progress', 'in_progress', 'completed', 'failed', 'pending']) await put(status);
  assert.deepEqual(world.kit.recorded.flatMap(({ event }) => (event.startsWith('task.') ? [event] : [])), ['task.start', 'task.update', 'task.complete', 'task.fail', 'task.update']);
});

test('tasks are found by project, status and time, in both orders, and what names nothing finds nothing', async () => {
  const world = await twoTenants();
  const { alpha, beta, store } = world;
  const second = await putProject(store, alpha.tenant, 'second');
  const put = async (project: string, day: string, status: string): Promise<string> => {
    const id = newId('task', Date.parse(`${day}T12:00:00.000Z`), random.bytes(10));
    const value = { id, project_id: project, title: 't', description: '', status, priority: 'low', created_at: `${day}T12:00:00.000Z`, updated_at: `${day}T12:00:00.000Z` };
    await store.transact([], [{ key: `t/${alpha.tenant}/tasks/${id}`, value }]);
    return id;
  };
  const [a, b, c] = [await put(second, '2026-02-01', 'pending'), await put(second, '2026-02-02', 'failed'), await put(second, '2026-02-03', 'pending')];
  const rows: readonly (readonly [query: string, ids: readonly string[]])[] = [
    [`project_id=${second}`, [a, b, c]], [`project_id=${second}&order=desc`, [c, b, a]], [`project_id=${second}&status=pending`, [a, c]], ['status=failed', [b]],
    [`project_id=${second}&start=2026-02-02`, [b, c]], [`project_id=${second}&end=2026-02-02`, [a, b]], [`project_id=${second}&start=2026-02-02&end=2026-02-02`, [b]], [`project_id=${second}&start=2026-02-02T12:00:00Z&order=desc&limit=1`, [c]],
    [`project_id=${second}&start=2026-02-03&end=2026-02-01`, []], [`project_id=${second}&start=1960-01-01`, [a, b, c]], [`project_id=${second}&start=0001-01-01&end=9999-12-31`, [a, b, c]], [`project_id=${second}&end=1960-01-01`, []],
    [`project_id=${beta.project}`, []], [`project_id=${newId('project', 3, random.bytes(10))}`, []], [`project_id=${second}&offset=2`, [c]], [`project_id=${second}&offset=3`, []],
  ];
  for (const [query, ids] of rows) assert.deepEqual(await idsOf(world, query), ids, query);
  assert.deepEqual((bodyOf(await as(world, 'root', `/api/tasks?project_id=${second}&status=failed`)) as readonly JsonObject[]).map(({ id }) => id), [b], 'an administrator finds them wherever they are');
  for (const wrong of ['project_id=x', 'status=done', 'order=up', 'start=yesterday', 'limit=0', 'limit=1001', 'offset=-1', 'cursor=x', 'sort=title']) assert.equal((await as(world, 'scope.read', `/api/tasks?${wrong}`)).status, 400, wrong);
});
