/** Requests that are sent twice happen once: whatever comes between, and for nobody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../lib/base/http.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { Store } from '../../lib/store/store.ts';
import { tenantPrefix } from '../../lib/store/tenant-view.ts';
import { bodyOf, createKit, mint } from '../support/api-kit.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { as, twoTenants, type World } from '../support/two-tenants.ts';

const object = (response: HttpResponse): JsonObject => bodyOf(response) as JsonObject;
const codeOf = (response: HttpResponse): unknown => object(response)['code'];

function task(world: World, key: string | undefined, more: { readonly caller?: string; readonly title?: string; readonly target?: string } = {}): Promise<HttpResponse> {
  const { caller = 'scope.write', title = 'once', target = '/api/v2/tasks' } = more;
  return as(world, caller, target, { method: 'POST', body: { project_id: world.alpha.project, title }, ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }) });
}

const tasks = async ({ store, alpha }: World): Promise<number> => (await store.list(`${tenantPrefix(alpha.tenant)}tasks/`, { limit: 1000 })).length;
const kept = async ({ store, alpha }: World): Promise<readonly { readonly key: string; readonly value: JsonObject }[]> => (await store.list(`${tenantPrefix(alpha.tenant)}idempotency/`, { limit: 1000 })) as never;

test('the same request again is answered as the first time, and says so', async () => {
  const world = await twoTenants();
  const before = await tasks(world);
  const [first, again] = [await task(world, 'k1'), await task(world, 'k1')];
  assert.deepEqual([first.status, again.status, again.body, again.headers['ETag'], again.headers['Location']], [201, 201, first.body, first.headers['ETag'], first.headers['Location']]);
  assert.deepEqual([first.headers['Idempotency-Replayed'], again.headers['Idempotency-Replayed']], [undefined, 'true']);
  assert.equal((await task(world, '"k1"')).headers['Idempotency-Replayed'], 'true', 'quoted, as the draft has it, it is the same key');
  assert.equal(await tasks(world) - before, 1);
  assert.equal(world.kit.recorded.filter(({ event }) => event === 'task.create').length, 1);
  assert.notEqual(again.headers['X-Request-Id'], first.headers['X-Request-Id'], 'it is a request of its own');
});

test('of many at the same moment one is carried out; the others hear that it is under way, or its answer', async () => {
  const world = await twoTenants();
  const before = await tasks(world);
  const answers = await Promise.all(Array.from({ length: 20 }, () => task(world, 'k')));
  assert.equal(await tasks(world) - before, 1);
  for (const answer of answers) assert.ok(answer.status === 201 || (answer.status === 409 && codeOf(answer) === 'conflict'), String(answer.body));
  assert.equal((await task(world, 'k')).status, 201);
});

test('two control planes over one store carry it out once', async () => {
  const world = await twoTenants();
  const second = createKit({ authentication: true, rateLimit: 0 }, { store: world.store });
  const before = await tasks(world);
  const answers = await Promise.all([world.kit, second, world.kit, second].map((kit) => task({ ...world, kit }, 'k')));
  assert.equal(await tasks(world) - before, 1, answers.map(({ status }) => status).join());
  for (const { status } of answers) assert.ok(status === 201 || status === 409);
});

test('another request under the same key is 422, whichever part is other', async () => {
  const world = await twoTenants();
  await task(world, 'k');
  const refused = await task(world, 'k', { title: 'another' });
  assert.deepEqual([refused.status, codeOf(refused)], [422, 'request.reused']);
  assert.equal((await task(world, 'k', { target: '/api/tasks' })).headers['Idempotency-Replayed'], undefined, 'another path is another request');
  const other = await mint(world.kit, { name: 'another', role: 'operator', tenant: world.alpha.tenant });
  Object.assign(world.callers, { another: `Bearer ${other.token}` });
  const theirs = await task(world, 'k', { caller: 'another', title: 'theirs' });
  assert.deepEqual([theirs.status, theirs.headers['Idempotency-Replayed']], [201, undefined], 'somebody else\'s key is theirs');
});

test('a request that was refused leaves its key free, and keys that are none are refused', async () => {
  const world = await twoTenants();
  assert.equal((await task(world, 'k', { title: '' })).status, 400);
  assert.equal((await as(world, 'scope.write', `/api/v2/tasks/tsk_01J8Z3T5C6D7E8F9G0H1J2K3M4`, { method: 'PUT', body: { title: 'a' }, headers: { 'idempotency-key': 'k' } })).status, 404);
  assert.equal((await as(world, 'scope.control', `/api/v2/runs/run_01J8Z3T5C6D7E8F9G0H1J2K3M4/cancel`, { method: 'POST', body: {}, headers: { 'idempotency-key': 'k' } })).status, 404);
  assert.deepEqual(await kept(world), []);
  assert.equal((await task(world, 'k')).status, 201);
  for (const wrong of ['', '"', '""', 'a b', 'é', 'a"b', 'a\\b', 'a'.repeat(256), `"${'a'.repeat(256)}"`, '\u0001']) assert.equal((await task(world, wrong)).status, 400, JSON.stringify(wrong));
  assert.equal((await task(world, 'a'.repeat(255))).status, 201);
});

test('what was answered is kept for a day; then the key may be used again, and is swept away', async () => {
  const world = await twoTenants();
  const before = await tasks(world);
  await task(world, 'k');
  const [record] = await kept(world);
  assert.ok(record !== undefined && !JSON.stringify(record).includes('"k"'));
  await world.store.transact([], [{ key: record.key, value: { ...record.value, at: new Date(Date.now() - 25 * 3_600_000).toISOString() } }]);
  assert.equal((await task(world, 'k', { title: 'a day later' })).status, 201);
  assert.equal(await tasks(world) - before, 2);
  await world.kit.api.sweep();
  assert.equal((await kept(world)).length, 1, 'what is young stays');
  await world.store.transact([], [{ key: record.key, value: { at: 'never' } }]);
  await world.kit.api.sweep();
  assert.deepEqual(await kept(world), []);
});

test('a token is told once: its request again makes no second key, and tells nothing', async () => {
  const world = await twoTenants();
  const make = (): Promise<HttpResponse> => as(world, 'scope.admin', '/api/v2/keys', { method: 'POST', body: { name: 'ci', role: 'viewer' }, headers: { 'idempotency-key': 'k' } });
  const [first, again] = [await make(), await make()];
  assert.deepEqual([first.status, again.status, codeOf(again)], [201, 409, 'conflict']);
  assert.match(String(again.body), /told once only/);
  assert.ok(!JSON.stringify(await kept(world)).includes(String(object(first)['token'])));
  const turn = (): Promise<HttpResponse> => as(world, 'scope.admin', `/api/v2/keys/${String(object(first)['id'])}/rotate`, { method: 'POST', body: {}, headers: { 'idempotency-key': 'k' } });
  assert.deepEqual([(await turn()).status, (await turn()).status], [201, 409]);
  assert.equal(world.kit.recorded.filter(({ event }) => event === 'auth.token.rotate').length, 1);
});

/** A store whose next write of a task is carried out, or not, and then fails as if the power had gone. */
function breaking(store: Store): { readonly store: Store; breakNext(after: boolean): void } {
  let next: 'before' | 'after' | undefined;
  return {
    breakNext: (after) => { next = after ? 'after' : 'before'; },
    store: {
      ...store,
      async transact(checks, changes) {
        const how = changes.some(({ key }) => /\/tasks\//.test(key)) ? next : undefined;
        if (how === undefined) return store.transact(checks, changes);
        next = undefined;
        if (how === 'after') await store.transact(checks, changes);
        throw new Error('the power has gone');
      },
    },
  };
}

test('a crash before the change or after it leaves nothing, or all of it with its answer', async () => {
  for (const after of [false, true]) {
    const { store, breakNext } = breaking(createMemoryStore());
    const world = await twoTenants({}, { store });
    const before = await tasks(world);
    breakNext(after);
    assert.equal((await task(world, 'k')).status, 500);
    const again = await task(world, 'k');
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [201, after ? 'true' : undefined]);
    assert.equal(await tasks(world) - before, 1, after ? 'after' : 'before');
  }
});

test('where the work is more than one change, a crash in the middle is told as what it is, for nobody knows how far it came', async () => {
  let cancels = 0;
  const made = await twoTenants();
  const world = await twoTenants({}, { runs: { ...made.kit.services.runs, runOf: async () => undefined, order: (order, commit) => made.kit.services.runs.order(order, commit), cancel: () => Promise.reject(new Error(`it broke ${(cancels += 1)}`)) } });
  const cancel = (): Promise<HttpResponse> => as(world, 'scope.control', `/api/v2/runs/${world.alpha.run}/cancel`, { method: 'POST', body: {}, headers: { 'idempotency-key': 'k' } });
  assert.equal((await cancel()).status, 500);
  const again = await cancel();
  assert.deepEqual([again.status, codeOf(again), cancels], [409, 'conflict', 1]);
  assert.match(String(again.body), /was begun and has not ended/);
});

test('every write takes an Idempotency-Key, but for those that say why not', async () => {
  const document = JSON.parse(String((await as(await twoTenants(), undefined, '/openapi.json')).body)) as { readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>> };
  const without = Object.entries(document.paths).filter(([path]) => path.startsWith('/api/v2/')).flatMap(([path, methods]) => Object.entries(methods).filter(([method, said]) => method !== 'get' && said['x-loki-idempotency-key'] !== true).map(([method]) => `${method} ${path}`));
  // Judging a context changes nothing.
  assert.deepEqual(without.sort(), ['post /api/v2/policies/evaluate']);
});
