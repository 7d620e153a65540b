/** A tenant's view of the store: everything under its own prefix, and nothing of anybody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../lib/base/ids.ts';
import { runTerms } from '../../lib/store/indexes.ts';
import { ownerOf, tenantPrefix, tenantView } from '../../lib/store/tenant-view.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const one = newId('tenant', 1, new Uint8Array(10));
const other = newId('tenant', 2, new Uint8Array(10));

test('two tenants write the same key and each reads its own; the installation sees both, apart from its own', async () => {
  const store = createMemoryStore();
  for (const [tenant, value] of [[one, 1], [other, 2], [null, 3]] as const) assert.equal((await tenantView(store, tenant).transact([{ key: 'runs/a', revision: 0 }], [{ key: 'runs/a', value }])).committed, true);
  assert.equal((await tenantView(store, one).get('runs/a'))?.value, 1);
  assert.equal((await tenantView(store, other).get('runs/a'))?.value, 2);
  assert.equal((await store.get('runs/a'))?.value, 3);
  assert.deepEqual((await store.list('', { limit: 9 })).map(({ key }) => key), ['runs/a', `t/${one}/runs/a`, `t/${other}/runs/a`]);
});

test('a view lists, goes on and tells of conflicts in its own keys', async () => {
  const store = createMemoryStore();
  const view = tenantView(store, one);
  await view.transact([], ['runs/a', 'runs/b', 'runs/c'].map((key) => ({ key, value: key })));
  await tenantView(store, other).transact([], [{ key: 'runs/bb', value: 'not yours' }]);
  assert.deepEqual((await view.list('runs/', { limit: 9, after: 'runs/a' })).map(({ key, value }) => [key, value]), [['runs/b', 'runs/b'], ['runs/c', 'runs/c']]);
  assert.deepEqual((await view.list('', { limit: 9, reverse: true })).map(({ key }) => key), ['runs/c', 'runs/b', 'runs/a']);
  assert.deepEqual(await view.transact([{ key: 'runs/b', revision: 0 }], []), { committed: false, conflict: 'runs/b' });
});

test('a view finds by an index what is its own, whatever it asks for', async () => {
  const store = createMemoryStore();
  const run = (tenant: string | null, at: number): readonly [string | null, string] => [tenant, newId('run', at, new Uint8Array(10))];
  const runs = [run(one, 1), run(other, 2), run(null, 3), run(one, 4)];
  for (const [tenant, id] of runs) await tenantView(store, tenant).transact([], [{ key: `runs/${id}`, value: { project_id: 'p', status: 'failed' } }]);
  const mine = [runs[0]?.[1], runs[3]?.[1]].map((id) => `runs/${id}`);
  const view = tenantView(store, one);
  for (const term of [runTerms.all, runTerms.status('failed'), runTerms.tenant(null), runTerms.tenant(one), runTerms.project(null, 'p'), runTerms.projectStatus(one, 'p', 'failed')]) {
    assert.deepEqual((await view.listBy(...term, { limit: 9 })).map(({ key }) => key), mine, String(term));
  }
  assert.deepEqual(await view.listBy(...runTerms.tenant(other), { limit: 9 }), []);
  assert.equal((await store.listBy(...runTerms.all, { limit: 9 })).length, 4);
});

test('keys that climb, and prefixes that name another tenant, stay inside', async () => {
  const store = createMemoryStore();
  await tenantView(store, other).transact([], [{ key: 'runs/a', value: 'secret' }]);
  const view = tenantView(store, one);
  for (const key of [`t/${other}/runs/a`, `../${other}/runs/a`, `./runs/a`]) assert.equal((await view.get(key).catch(() => undefined))?.value, undefined, key);
  assert.deepEqual(await view.list(`t/${other}/`, { limit: 9 }), []);
  for (const id of ['', 'tnt_', `${one}/..`, other.slice(1), 'x'.repeat(30)]) assert.throws(() => tenantPrefix(id), { code: 'internal' });
});

test('a view watches its own changes, in its own keys', async () => {
  const store = createMemoryStore();
  const end = new AbortController();
  const watching = tenantView(store, one).watch('runs/', 0, end.signal)[Symbol.asyncIterator]();
  await store.transact([], [{ key: 'runs/z', value: 0 }, { key: `t/${other}/runs/z`, value: 0 }]);
  await tenantView(store, one).transact([], [{ key: 'runs/mine', value: 1 }]);
  const { value } = await watching.next();
  assert.deepEqual(value.map(({ key, revision }: { readonly key: string; readonly revision: number }) => [key, revision]), [['runs/mine', 2]]);
  end.abort();
  await watching.return?.(undefined);
});

test('the owner of a key is told from the key', () => {
  assert.deepEqual(ownerOf(`t/${one}/runs/a`), { tenant: one, key: 'runs/a' });
  assert.deepEqual(ownerOf('runs/a'), { tenant: null, key: 'runs/a' });
  assert.deepEqual(ownerOf('t/else/runs/a'), { tenant: null, key: 't/else/runs/a' });
});
