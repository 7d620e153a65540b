/** What every driver of the store port does. Run by the test of each driver with a way to open a new, empty store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listingSuite } from './listing-suite.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import type { Store, StoreNotice, StoreOutcome } from '../../lib/store/store.ts';

/** Opens an empty store that keeps `history` transactions for watchers. */
export type OpenStore = (options: { readonly history: number }) => Promise<Store>;

/** Registers the tests of the port for one driver. */
export function storeSuite(driver: string, open: OpenStore): void {
  const on = (behaviour: string, run: (store: Store) => Promise<void>): void => {
    test(`${driver} store: ${behaviour}`, { timeout: 20_000 }, async () => {
      const store = await open({ history: 50 });
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  };

  on('a new store has revision 0 and nothing in it', async (store) => {
    assert.equal(await store.revision(), 0);
    assert.equal(await store.get('runs/a'), undefined);
    assert.deepEqual(await store.list('', { limit: 10 }), []);
  });

  on('a written object is read back with its revision', async (store) => {
    assert.deepEqual(await store.transact([], [{ key: 'runs/a', value: { n: 1, text: 'ä\u2028"' } }]), { committed: true, revision: 1 });
    assert.deepEqual(await store.get('runs/a'), { key: 'runs/a', value: { n: 1, text: 'ä\u2028"' }, revision: 1 });
    assert.equal(await store.revision(), 1);
  });

  on('what the caller or a reader does to a value afterwards does not reach the store', async (store) => {
    const value = { list: [1] };
    await store.transact([], [{ key: 'a', value }]);
    value.list.push(2);
    const read = (await store.get('a'))?.value;
    assert.deepEqual(read, { list: [1] });
    assert.throws(() => { Object.assign(read ?? {}, { list: [] }); }, TypeError);
    assert.throws(() => { Object.assign(Object(Reflect.get(Object(read), 'list')), { 0: 9 }); }, TypeError);
  });

  on('a member named __proto__ is a member', async (store) => {
    await store.transact([], [{ key: 'a', value: JSON.parse('{"__proto__":{"admin":true}}') }]);
    assert.equal(JSON.stringify((await store.get('a'))?.value), '{"__proto__":{"admin":true}}');
  });

  on('a transaction goes ahead only if every check holds, and then as a whole', async (store) => {
    await store.transact([], [{ key: 'a', value: 1 }, { key: 'b', value: 1 }]);
    const stale = await store.transact([{ key: 'a', revision: 1 }, { key: 'b', revision: 0 }], [{ key: 'a', value: 2 }, { key: 'c', value: 2 }]);
    assert.deepEqual(stale, { committed: false, conflict: 'b' });
    assert.equal((await store.get('a'))?.value, 1);
    assert.equal(await store.get('c'), undefined);
    assert.deepEqual(await store.transact([{ key: 'a', revision: 1 }, { key: 'c', revision: 0 }], [{ key: 'c', value: 2 }]), { committed: true, revision: 2 });
  });

  on('a removed key does not exist, and counts as never written', async (store) => {
    await store.transact([], [{ key: 'a', value: null }]);
    assert.equal((await store.get('a'))?.value, null);
    await store.transact([{ key: 'a', revision: 1 }], [{ key: 'a', value: undefined }]);
    assert.equal(await store.get('a'), undefined);
    assert.deepEqual(await store.transact([{ key: 'a', revision: 0 }], [{ key: 'a', value: 3 }]), { committed: true, revision: 3 });
  });

  on('a transaction that changes nothing takes no revision', async (store) => {
    await store.transact([], [{ key: 'a', value: 1 }]);
    assert.deepEqual(await store.transact([{ key: 'a', revision: 1 }], []), { committed: true, revision: 1 });
    assert.deepEqual(await store.transact([], [{ key: 'b', value: undefined }]), { committed: true, revision: 1 });
    assert.deepEqual(await store.transact([{ key: 'a', revision: 7 }], []), { committed: false, conflict: 'a' });
  });

  on('of many compare-and-set writers of one key exactly one wins each time', async (store) => {
    let total = 0;
    for (let round = 0; round < 5; round += 1) {
      const at = (await store.get('counter'))?.revision ?? 0;
      const tries = Array.from({ length: 20 }, (_, n) => store.transact([{ key: 'counter', revision: at }], [{ key: 'counter', value: n }]));
      const won = (await Promise.all(tries)).filter(({ committed }) => committed);
      assert.equal(won.length, 1);
      total += 1;
      assert.equal(await store.revision(), total);
    }
  });

  on('transactions asked for at once get contiguous revisions', async (store) => {
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => store.transact([], [{ key: `k/${n}`, value: n }])));
    assert.deepEqual(all.map(revisionOf).sort((a, b) => a - b), Array.from({ length: 40 }, (_, n) => n + 1));
  });

  on('lists by prefix in key order, both ways, page by page', async (store) => {
    for (const key of ['runs/c', 'runs/a', 'runs-x', 'runs/b', 'run', 'tasks/a', 'runs/B', 'runs/a/deep']) await store.transact([], [{ key, value: key }]);
    const keys = async (prefix: string, options: { after?: string; limit: number; reverse?: boolean }): Promise<readonly string[]> =>
      (await store.list(prefix, options)).map(({ key }) => key);
    assert.deepEqual(await keys('runs/', { limit: 10 }), ['runs/B', 'runs/a', 'runs/a/deep', 'runs/b', 'runs/c']);
    assert.deepEqual(await keys('runs/', { limit: 2 }), ['runs/B', 'runs/a']);
    assert.deepEqual(await keys('runs/', { limit: 2, after: 'runs/a' }), ['runs/a/deep', 'runs/b']);
    assert.deepEqual(await keys('runs/', { limit: 2, after: 'runs/aa' }), ['runs/b', 'runs/c']);
    assert.deepEqual(await keys('runs/', { limit: 2, reverse: true }), ['runs/c', 'runs/b']);
    assert.deepEqual(await keys('runs/', { limit: 9, reverse: true, after: 'runs/b' }), ['runs/a/deep', 'runs/a', 'runs/B']);
    assert.deepEqual(await keys('runs/', { limit: 9, after: 'a' }), ['runs/B', 'runs/a', 'runs/a/deep', 'runs/b', 'runs/c']);
    assert.deepEqual(await keys('runs/', { limit: 9, after: 'zzz' }), []);
    assert.deepEqual(await keys('runs/', { limit: 9, after: 'zzz', reverse: true }), ['runs/c', 'runs/b', 'runs/a/deep', 'runs/a', 'runs/B']);
    assert.deepEqual(await keys('runs/', { limit: 9, after: 'a', reverse: true }), []);
    assert.deepEqual(await keys('', { limit: 3 }), ['run', 'runs-x', 'runs/B']);
    assert.deepEqual(await keys('', { limit: 2, reverse: true }), ['tasks/a', 'runs/c']);
    assert.deepEqual(await keys('none', { limit: 2 }), []);
  });

  on('a list of thousands of keys written in any order is sorted and complete', async (store) => {
    const order = Array.from({ length: 3000 }, (_, n) => (n * 1237) % 3000);
    await Promise.all(chunks(order, 100).map((part) => store.transact([], part.map((n) => ({ key: `k/${String(n).padStart(5, '0')}`, value: n })))));
    await Promise.all(chunks(order.filter((n) => n % 3 === 0), 100).map((part) => store.transact([], part.map((n) => ({ key: `k/${String(n).padStart(5, '0')}`, value: undefined })))));
    const expected = Array.from({ length: 3000 }, (_, n) => n).filter((n) => n % 3 !== 0);
    assert.deepEqual((await store.list('k/', { limit: 5000 })).map(({ value }) => value), expected);
    assert.deepEqual((await store.list('k/', { limit: 5000, reverse: true })).map(({ value }) => value), expected.toReversed());
  });

  listingSuite(on);

  on('a watcher gets what came after its revision, a transaction at a time, and then what is to come', async (store) => {
    await store.transact([], [{ key: 'runs/a', value: 1 }]);
    await store.transact([], [{ key: 'runs/b', value: 2 }, { key: 'tasks/x', value: 2 }, { key: 'runs/a', value: undefined }]);
    await store.transact([], [{ key: 'tasks/y', value: 3 }]);
    const seen = collect(store, 'runs/', 1, 2);
    await store.transact([], [{ key: 'runs/c', value: 4 }]);
    assert.deepEqual(await seen, [
      [{ key: 'runs/b', value: 2, revision: 2 }, { key: 'runs/a', value: undefined, revision: 2 }],
      [{ key: 'runs/c', value: 4, revision: 4 }],
    ]);
  });

  on('a watcher sees every one of many concurrent transactions once, in order', async (store) => {
    const seen = collect(store, '', 0, 40);
    await Promise.all(Array.from({ length: 40 }, (_, n) => store.transact([], [{ key: `k/${n}`, value: n }])));
    assert.deepEqual((await seen).map((batch) => batch[0]?.revision), Array.from({ length: 40 }, (_, n) => n + 1));
  });

  on('a watch ends when its signal aborts, also while it waits, and when the store closes', async (store) => {
    const abort = new AbortController();
    const aborted = drain(store, abort.signal);
    const already = drain(store, AbortSignal.abort());
    const closing = drain(store, new AbortController().signal);
    assert.equal(await already, 0);
    abort.abort();
    assert.equal(await aborted, 0);
    await store.close();
    assert.equal(await closing, 0);
  });

  on('a watch from a revision that is no longer kept, or was never reached, is gone', async (store) => {
    for (let n = 0; n < 60; n += 1) await store.transact([], [{ key: 'a', value: n }]);
    const signal = new AbortController().signal;
    const first = async (from: number): Promise<unknown> => store.watch('', from, signal)[Symbol.asyncIterator]().next();
    await assert.rejects(first(9), { code: 'gone', message: /^Cannot watch the store from revision 9: / });
    await assert.rejects(first(61), { code: 'gone', message: /^Cannot watch the store from revision 61: / });
    assert.deepEqual(await first(10), { done: false, value: [{ key: 'a', value: 10, revision: 11 }] });
  });

  on('a watcher that is too slow is told that what it missed is gone', async (store) => {
    await store.transact([], [{ key: 'a', value: 0 }]);
    const watch = store.watch('', 0, new AbortController().signal)[Symbol.asyncIterator]();
    await watch.next();
    for (let n = 0; n < 60; n += 1) await store.transact([], [{ key: 'a', value: n }]);
    await assert.rejects(watch.next(), { code: 'gone' });
  });

  on('keys that could become something else on disk or in a path are refused', async (store) => {
    for (const key of ['', '/', 'a/', '/a', 'a//b', 'a b', 'ä', 'a\n', 'a\0', 'x'.repeat(513), '__proto__/\\']) {
      await assert.rejects(store.get(key), { code: 'request.invalid', message: /^Cannot use a store key: / }, JSON.stringify(key));
      await assert.rejects(store.transact([], [{ key, value: 1 }]), { code: 'request.invalid' });
      await assert.rejects(store.transact([{ key, revision: 0 }], []), { code: 'request.invalid' });
    }
    await store.transact([], [{ key: '__proto__', value: 1 }, { key: 'x'.repeat(512), value: 2 }, { key: '../..', value: 3 }]);
    assert.equal((await store.get('__proto__'))?.value, 1);
    await assert.rejects(store.list('a b', { limit: 1 }), { code: 'request.invalid', message: 'Cannot list stored objects: the prefix "a b" cannot begin a key' });
    assert.equal(await store.revision(), 1);
  });

  on('what is out of bounds is refused: limits, revisions, doubled keys, size, count', async (store) => {
    for (const limit of [0, -1, 1.5, Number.NaN]) await assert.rejects(store.list('', { limit }), { code: 'request.invalid' });
    for (const revision of [-1, 0.5, Number.POSITIVE_INFINITY]) await assert.rejects(store.transact([{ key: 'a', revision }], []), { code: 'request.invalid' });
    await assert.rejects(store.transact([], [{ key: 'a', value: 1 }, { key: 'a', value: 2 }]), {
      code: 'request.invalid', message: 'Cannot change stored objects: the key "a" is changed twice in one transaction',
    });
    await assert.rejects(store.transact([], [{ key: 'a', value: 'x'.repeat(1024 * 1024) }]), { code: 'request.large' });
    const many = Array.from({ length: 129 }, (_, n) => ({ key: `k/${n}`, value: n }));
    await assert.rejects(store.transact([], many), { code: 'request.large', message: 'Cannot change stored objects: 0 checks and 129 changes; one transaction takes 128 and 128' });
    const nested = (depth: number): JsonValue => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    await assert.rejects(store.transact([], [{ key: 'a', value: nested(1001) }]), { code: 'request.invalid', message: /^Cannot change stored objects: the value of "a" nests deeper than 900 / });
    assert.equal(await store.revision(), 0);
    await store.transact([], [{ key: 'deep', value: nested(900) }]);
    assert.deepEqual((await store.get('deep'))?.value, nested(900));
    await store.transact([], [{ key: 'deep', value: undefined }]);
    assert.deepEqual(await store.transact([], [{ key: 'a', value: 'x'.repeat(1024 * 1024 - 2) }]), { committed: true, revision: 3 });
  });

  on('a closed store refuses, and closing twice is fine', async (store) => {
    await store.close();
    await store.close();
    await assert.rejects(store.get('a'), { code: 'interrupted' });
    await assert.rejects(store.transact([], [{ key: 'a', value: 1 }]), { code: 'interrupted' });
    await assert.rejects(store.revision(), { code: 'interrupted' });
  });
}

/** The revision of a transaction that must have been committed. */
export function revisionOf(outcome: StoreOutcome): number {
  assert.ok(outcome.committed);
  return outcome.revision;
}

/** The first `count` batches of a watch. */
export async function collect(store: Store, prefix: string, from: number, count: number): Promise<readonly (readonly StoreNotice[])[]> {
  const abort = new AbortController();
  const seen: (readonly StoreNotice[])[] = [];
  for await (const batch of store.watch(prefix, from, abort.signal)) {
    seen.push(batch);
    if (seen.length === count) break;
  }
  abort.abort();
  return seen;
}

async function drain(store: Store, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _batch of store.watch('', 0, signal)) count += 1;
  return count;
}

function chunks<T>(all: readonly T[], length: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, at) => all.slice(at * length, at * length + length));
}
