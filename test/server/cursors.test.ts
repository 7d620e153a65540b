/** Where a list goes on, and in what state an object is: cursors that cannot be made up or carried elsewhere, and tags that keep one update from undoing another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { bodyOf, createKit } from '../support/api-kit.ts';
import { as, putTask, twoTenants, type World } from '../support/two-tenants.ts';

interface Page {
  readonly data: readonly JsonObject[];
  readonly next_cursor: string | null;
}

const page = (response: HttpResponse): Page => bodyOf(response) as Page;

async function withTasks(count: number): Promise<{ readonly world: World; readonly ids: readonly string[] }> {
  const world = await twoTenants();
  const ids = [world.alpha.task];
  for (let n = 1; n < count; n += 1) ids.push(await putTask(world.store, world.alpha.tenant, world.alpha.project, `task ${n}`));
  return { world, ids };
}

test('pages follow each other to the end, each object once, while others are added and taken away', async () => {
  const { world, ids } = await withTasks(7);
  const seen: unknown[] = [];
  let cursor: string | null = '';
  for (let limit = 1; cursor !== null; limit = 3 - limit) {
    const { data, next_cursor }: Page = page(await as(world, 'scope.read', `/api/v2/tasks?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`));
    seen.push(...data.map(({ id }) => id));
    cursor = next_cursor;
    if (seen.length === 2) await as(world, 'scope.write', `/api/v2/tasks/${ids[1]}`, { method: 'DELETE' });
    if (seen.length === 3) await as(world, 'scope.write', `/api/v2/tasks/${ids[5]}`, { method: 'DELETE' });
  }
  assert.deepEqual(seen, ids.filter((_, at) => at !== 5), 'the page size may change on the way');
});

test('a cursor tells nothing, and no other text is one', async () => {
  const { world, ids } = await withTasks(3);
  const { next_cursor: cursor } = page(await as(world, 'scope.read', '/api/v2/tasks?limit=1'));
  assert.ok(cursor !== null);
  assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /tsk_|tnt_|tasks/);
  assert.ok(!ids.some((id) => cursor.includes(id)));
  const forged = new Set<string>();
  for (let at = 0; at < cursor.length; at += 1) forged.add(cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1));
  for (const length of [0, 1, 10, cursor.length - 4, cursor.length - 1]) forged.add(cursor.slice(0, length));
  for (const text of [`${cursor}A`, `${cursor}=`, `${cursor}%20`, cursor.toUpperCase(), ids[0] ?? '', Buffer.from(ids[0] ?? '').toString('base64url'), '__proto__', '-1', 'A'.repeat(512), 'A'.repeat(513), '%00', '..%2f']) forged.add(text);
  for (const text of forged) {
    const refused = await as(world, 'scope.read', `/api/v2/tasks?limit=1&cursor=${text}`);
    assert.deepEqual([refused.status, (bodyOf(refused) as JsonObject)['code']], [400, 'request.invalid'], text);
  }
});

test('a cursor is of its list, its filter, its order and its installation', async () => {
  const { world } = await withTasks(3);
  const { alpha } = world;
  const start = `/api/v2/tasks?limit=1&project_id=${alpha.project}&status=pending&order=asc`;
  const { next_cursor: cursor } = page(await as(world, 'scope.read', start));
  assert.ok(cursor !== null);
  assert.equal((await as(world, 'scope.read', `${start}&cursor=${cursor}`)).status, 200);
  assert.equal((await as(world, 'scope.read', `/api/v2/tasks?order=asc&cursor=${cursor}&status=pending&limit=7&project_id=${alpha.project}`)).status, 200, 'in whatever order the filters stand');
  for (const other of [`project_id=${alpha.project}&status=pending`, `project_id=${alpha.project}&status=pending&order=desc`, `status=pending&order=asc`, `project_id=${alpha.project}&status=failed&order=asc`, `project_id=${alpha.project}&status=pending&order=asc&start=2026-02-15`]) {
    assert.equal((await as(world, 'scope.read', `/api/v2/tasks?${other}&cursor=${cursor}`)).status, 400, other);
  }
  for (const list of ['runs', 'projects', 'approvals', 'tenants']) assert.equal((await as(world, 'scope.read', `/api/v2/${list}?cursor=${cursor}`)).status, 400, list);
  const elsewhere = createKit({ authentication: true, rateLimit: 0, secret: new Uint8Array(32).fill(8) }, { store: world.store });
  assert.equal((await as({ ...world, kit: elsewhere }, 'scope.read', `${start}&cursor=${cursor}`)).status, 400, 'of another installation');
});

test('an update says which state it means, and is refused for any other', async () => {
  const { world } = await withTasks(1);
  const target = `/api/v2/tasks/${world.alpha.task}`;
  const put = (ifMatch: string | undefined, title: string): Promise<HttpResponse> => as(world, 'scope.write', target, { method: 'PUT', body: { title }, ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }) });
  const tagNow = async (): Promise<string> => (await as(world, 'scope.read', target)).headers['ETag'] ?? '';
  const first = await tagNow();
  assert.equal((await put(first, 'a')).headers['ETag'], await tagNow(), 'a change answers with the tag of what it made');
  const stale = await put(first, 'b');
  assert.deepEqual([stale.status, (bodyOf(stale) as JsonObject)['code']], [412, 'request.stale']);
  const now = await tagNow();
  for (const [wanted, status] of [[`W/${now}`, 412], [now.slice(1, -1), 412], ['', 412], ['"x"', 412], [`"x", ${now}`, 200], ['*', 200], [undefined, 200]] as const) assert.equal((await put(wanted, `title ${wanted ?? 'none'}`.replaceAll('"', ''))).status, status, wanted);
  assert.equal((await as(world, 'scope.write', target, { method: 'DELETE', headers: { 'if-match': first } })).status, 412);
  assert.equal((await as(world, 'scope.write', target, { method: 'DELETE', headers: { 'if-match': await tagNow() } })).status, 204);
  assert.equal((await put('*', 'gone')).status, 404);
});

test('of two updates of one state one is made; without saying which state, both are, and neither is lost', async () => {
  const { world } = await withTasks(1);
  const target = `/api/v2/tasks/${world.alpha.task}`;
  const tag = (await as(world, 'scope.read', target)).headers['ETag'] ?? '';
  const put = (body: object, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> => as(world, 'scope.write', target, { method: 'PUT', body, headers });
  const both = await Promise.all(['one', 'two', 'three'].map((title) => put({ title }, { 'if-match': tag })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412, 412]);
  const members = await Promise.all([put({ title: 'both' }), put({ priority: 'critical' }), put({ description: 'kept' })]);
  assert.deepEqual(members.map(({ status }) => status), [200, 200, 200]);
  const { title, priority, description } = bodyOf(await as(world, 'scope.read', target)) as JsonObject;
  assert.deepEqual([title, priority, description], ['both', 'critical', 'kept']);
});

test('every object that can be changed has a tag, and is not changed under another', async () => {
  const world = await twoTenants();
  const { alpha } = world;
  for (const [target, body] of [[`/api/v2/tasks/${alpha.task}`, { title: 'x' }], [`/api/v2/projects/${alpha.project}`, { name: 'x' }], [`/api/v2/keys/${alpha.key}`, { cidrs: ['10.0.0.0/8'] }], [`/api/v2/tenants/${alpha.tenant}`, { name: 'x' }]] as const) {
    const tag = (await as(world, 'root', target)).headers['ETag'] ?? '';
    assert.match(tag, /^"[\w-]{22}"$/, target);
    for (const [wanted, status] of [['"stale"', 412], [`W/${tag}`, 412], [tag, 200], [tag, 412]] as const) assert.equal((await as(world, 'root', target, { method: 'PUT', body, headers: { 'if-match': wanted } })).status, status, `${target} ${wanted}`);
    assert.equal((await as(world, 'root', target, { headers: { 'if-none-match': (await as(world, 'root', target)).headers['ETag'] ?? '' } })).status, 304, target);
    assert.equal((await as(world, 'root', target, { method: 'DELETE', headers: { 'if-match': tag } })).status, 412, target);
  }
});
