/** What every driver of the store port does when entries are found by an index. Part of the suite in store-suite.ts. */
import assert from 'node:assert/strict';
import type { JsonValue } from '../../lib/base/json.ts';
import { approvalTerms, keyTerms, projectTerms, runTerms, storeIndexes, taskTerms } from '../../lib/store/indexes.ts';
import type { StoreTerm } from '../../lib/store/indexes.ts';
import type { ListByOptions, Store, StoreChange, StoreEntry } from '../../lib/store/store.ts';
import { Draw } from '../support/property.ts';

type On = (behaviour: string, run: (store: Store) => Promise<void>) => void;

const one = 'tnt_00000000000000000000000001';
const two = 'tnt_00000000000000000000000002';
const work = (project: string, status: string): JsonValue => ({ project_id: project, status });
const idsOf = (entries: readonly StoreEntry[]): readonly string[] => entries.map(({ key }) => key.slice(key.lastIndexOf('/') + 1));

/** Registers the tests. */
export function listingSuite(on: On): void {
  on('runs are found by tenant, project and status, in order of their ids', async (store) => {
    await store.transact([], [
      { key: 'runs/c', value: work('p', 'failed') }, { key: `t/${one}/runs/b`, value: work('p', 'failed') }, { key: `t/${two}/runs/a`, value: work('q', 'running') },
      { key: `t/${one}/runs/d`, value: work('q', 'failed') }, { key: `t/${one}/runs/e`, value: work('p', 'running') },
      { key: 'tasks/t', value: work('p', 'failed') }, { key: 'run-events/c/1', value: work('p', 'failed') }, { key: 'runs/c/deep', value: work('p', 'failed') }, { key: 'runs/odd', value: 'no object' },
    ]);
    const asked: readonly (readonly [StoreTerm, readonly string[]])[] = [
      [runTerms.all, ['a', 'b', 'c', 'd', 'e', 'odd']], [runTerms.status('failed'), ['b', 'c', 'd']], [runTerms.status('none'), []], [runTerms.tenant(one), ['b', 'd', 'e']], [runTerms.tenant(null), ['c', 'odd']],
      [runTerms.project(one, 'p'), ['b', 'e']], [runTerms.project(null, 'p'), ['c']], [runTerms.tenantStatus(one, 'failed'), ['b', 'd']], [runTerms.projectStatus(one, 'p', 'failed'), ['b']],
      [runTerms.projectStatus(one, 'p\nfailed', 'x'), []], [taskTerms.all, ['t']], [taskTerms.projectStatus(null, 'p', 'failed'), ['t']],
    ];
    for (const [term, ids] of asked) assert.deepEqual(idsOf(await store.listBy(...term, { limit: 10 })), ids, JSON.stringify(term));
    assert.deepEqual((await store.listBy(...runTerms.projectStatus(one, 'p', 'running'), { limit: 1 })), [{ key: `t/${one}/runs/e`, value: work('p', 'running'), revision: 1 }]);
  });

  on('approvals are found by what is shown of them, projects and keys of all tenants by their kind', async (store) => {
    await store.transact([], [
      { key: 'approvals/a', value: { shown: { project_id: 'p', status: 'pending' }, sealed: { view: { project_id: 'p', status: 'approved' } } } },
      { key: 'approvals/b', value: { shown: null, sealed: { view: { project_id: 'p', status: 'pending' } } } },
      { key: 'projects/x', value: {} }, { key: `t/${one}/projects/w`, value: {} }, { key: `t/${one}/keys/k`, value: {} },
    ]);
    assert.deepEqual(idsOf(await store.listBy(...approvalTerms.status('pending'), { limit: 10 })), ['a']);
    assert.deepEqual(idsOf(await store.listBy(...approvalTerms.tenantStatus(null, 'approved'), { limit: 10 })), []);
    assert.deepEqual(idsOf(await store.listBy(...projectTerms.all, { limit: 10 })), ['w', 'x']);
    assert.deepEqual(idsOf(await store.listBy(...keyTerms.all, { limit: 10 })), ['k']);
  });

  on('an index follows what is changed and removed after it was first used', async (store) => {
    const failed = async (): Promise<readonly string[]> => idsOf(await store.listBy(...runTerms.status('failed'), { limit: 10 }));
    await store.transact([], [{ key: 'runs/a', value: work('p', 'failed') }, { key: 'runs/b', value: work('p', 'running') }]);
    assert.deepEqual(await failed(), ['a']);
    await store.transact([], [{ key: 'runs/b', value: work('p', 'failed') }, { key: `t/${one}/runs/aa`, value: work('p', 'failed') }]);
    assert.deepEqual(await failed(), ['a', 'aa', 'b']);
    await store.transact([], [{ key: 'runs/a', value: undefined }, { key: 'runs/b', value: work('p', 'cancelled') }]);
    assert.deepEqual(await failed(), ['aa']);
  });

  on('a listing by an index has pages, both ways, and bounds', async (store) => {
    await store.transact([], [...'abcdefgh'].map((id, at) => ({ key: at % 2 === 0 ? `runs/${id}` : `t/${one}/runs/${id}`, value: work('p', 'failed') })));
    const ids = async (options: ListByOptions): Promise<string> => idsOf(await store.listBy(...runTerms.all, options)).join('');
    const asked: readonly (readonly [Omit<ListByOptions, 'limit'> & { readonly limit?: number }, string])[] = [
      [{ limit: 3 }, 'abc'], [{ limit: 3, after: 'c' }, 'def'], [{ after: 'g' }, 'h'], [{ after: 'h' }, ''], [{ after: 'ca' }, 'defgh'], [{ after: '' }, 'abcdefgh'],
      [{ reverse: true, limit: 3 }, 'hgf'], [{ reverse: true, after: 'c' }, 'ba'], [{ reverse: true, after: 'ca', limit: 2 }, 'cb'], [{ reverse: true, after: 'a' }, ''],
      [{ from: 'c', to: 'e' }, 'cde'], [{ from: 'c', to: 'e', reverse: true }, 'edc'], [{ from: 'c', to: 'e', after: 'c' }, 'de'], [{ from: 'c', to: 'e', after: 'g', reverse: true }, 'edc'],
      [{ from: 'c', to: 'e', after: 'a' }, 'cde'], [{ from: 'c', to: 'e', after: 'd', reverse: true }, 'c'], [{ from: 'e', to: 'c' }, ''], [{ from: 'x' }, ''],
    ];
    for (const [options, expected] of asked) assert.equal(await ids({ limit: 100, ...options }), expected, JSON.stringify(options));
  });

  on('an unknown index and an impossible limit are refused', async (store) => {
    await assert.rejects(store.listBy('runs by colour', 'red', { limit: 1 }), { code: 'request.invalid', message: 'Cannot list stored objects: there is no index "runs by colour"' });
    await assert.rejects(store.listBy(...runTerms.all, { limit: 0 }), { code: 'request.invalid' });
  });

  on('under random changes every index says what filtering all entries says', async (store) => {
    const draw = new Draw(7);
    for (let round = 0; round < 30; round += 1) {
      await store.transact([], randomChanges(draw));
      await assertIndexesHold(store, draw.integer(1, 4));
    }
  });
}

/** Some changes of entries of every kind, a few of which no index knows. */
export function randomChanges(draw: Draw): readonly StoreChange[] {
  const changes = new Map<string, StoreChange>();
  for (let n = draw.integer(1, 40); n > 0; n -= 1) {
    const kind = draw.pick(['runs', 'tasks', 'approvals', 'projects', 'keys', 'sessions']);
    // Ids are unique among tenants, so the id tells whose it is.
    const id = draw.integer(0, 60);
    const key = `${['', `t/${one}/`, `t/${two}/`][id % 3] ?? ''}${kind}/x${String(id).padStart(2, '0')}`;
    changes.set(key, { key, value: draw.chance(0.3) ? undefined : randomValue(draw, kind) });
  }
  return [...changes.values()];
}

function randomValue(draw: Draw, kind: string): JsonValue {
  const object = work(draw.pick(['p', 'q', 'r']), draw.pick(['pending', 'failed', 'running']));
  if (draw.chance(0.1)) return draw.pick<JsonValue>([null, 'text', 1, [], { status: 1 }, { project_id: null }]);
  return kind === 'approvals' ? { shown: draw.chance(0.2) ? null : object, sealed: null } : object;
}

/** Every index, page by page and backwards, against all entries read and filtered. */
export async function assertIndexesHold(store: Store, limit: number): Promise<void> {
  const entries = await store.list('', { limit: 100_000 });
  for (const { name, of } of storeIndexes) {
    const expected = new Map<string, StoreEntry[]>();
    for (const entry of entries) for (const term of of(entry.key, () => entry.value)) expected.set(term, [...expected.get(term) ?? [], entry]);
    for (const [term, found] of expected) {
      const inOrder = found.toSorted((a, b) => (idsOf([a]).join() < idsOf([b]).join() ? -1 : 1));
      const about = `${name}: ${JSON.stringify(term)}`;
      assert.deepEqual(await pages(store, name, term, limit), inOrder, about);
      assert.deepEqual(await store.listBy(name, term, { limit: 100_000, reverse: true }), inOrder.toReversed(), about);
    }
  }
}

async function pages(store: Store, index: string, term: string, limit: number): Promise<readonly StoreEntry[]> {
  const all: StoreEntry[] = [];
  for (let after = ''; ;) {
    const page = await store.listBy(index, term, { limit: limit * 5, after });
    all.push(...page);
    if (page.length < limit * 5) return all;
    after = idsOf(page).at(-1) ?? '';
  }
}
