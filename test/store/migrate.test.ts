/** The schema: migrations at the first opening, whole or not at all, and newer data refused. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import { migrations, schemaAfter } from '../../lib/store/migrations.ts';
import type { Migration } from '../../lib/store/migrations.ts';
import type { Store, StoreEntry } from '../../lib/store/store.ts';
import type { StoreTrouble } from '../../lib/store/writer.ts';
import { embeddedStores } from '../support/embedded-stores.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import type { FaultFiles } from '../support/fault-files.ts';

/** Tasks get a priority; then runs move below jobs. */
const steps: readonly Migration[] = [
  { to: 2, what: 'tasks get a priority', apply: (key, value) => (key.startsWith('tasks/') ? [{ key, value: { ...Object(value), priority: 'low' } }] : []) },
  { to: 3, what: 'runs are called jobs', apply: (key, value) => (key.startsWith('runs/') ? [{ key, value: undefined }, { key: key.replace('runs/', 'jobs/'), value }] : []) },
];

const before = [{ key: 'runs/a', value: { n: 1 } }, { key: 'tasks/t', value: { n: 2 } }, { key: 'x', value: 3 }];
const after = [{ key: 'jobs/a', value: { n: 1 } }, { key: 'tasks/t', value: { n: 2, priority: 'low' } }, { key: 'x', value: 3 }];
const plain = (entries: readonly StoreEntry[]): unknown => entries.map(({ key, value }) => ({ key, value }));
const held = async (store: Store): Promise<unknown> => plain(await store.list('', { limit: 100 }));
const contentsOf = (directory: string): unknown => readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]);

test('the table of migrations leads from 1 upwards without a gap', () => {
  assert.deepEqual(migrations.map(({ to }) => to), migrations.map((_, at) => at + 2));
  assert.equal(schemaAfter(migrations), migrations.length + 1);
});

test('a store is migrated when it is opened, told of, and as a transaction of its own', async () => {
  const { open } = await embeddedStores();
  const first = await open();
  await first.transact([], before);
  await first.close();
  const troubles: StoreTrouble[] = [];
  const store = await open({ migrations: steps, onTrouble: (trouble) => troubles.push(trouble) });
  assert.deepEqual(await held(store), after);
  assert.deepEqual(troubles, [{ kind: 'migrated', from: 1, to: 3, what: ['tasks get a priority', 'runs are called jobs'] }]);
  assert.deepEqual([(await store.get('x'))?.revision, (await store.get('jobs/a'))?.revision, await store.revision()], [1, 2, 2]);
  assert.deepEqual(await store.transact([], [{ key: 'y', value: 1 }]), { committed: true, revision: 3 });
  await store.close();
  const again = await open({ migrations: steps, onTrouble: (trouble) => troubles.push(trouble) });
  assert.deepEqual([await again.revision(), troubles.length], [3, 1]);
  await again.close();
});

test('objects of a newer schema are refused, by readers and by writers, and nothing is written', async () => {
  const { directory, open } = await embeddedStores();
  const newer = await open({ migrations: steps });
  await newer.transact([], before);
  await newer.close();
  const contents = contentsOf(directory);
  await assert.rejects(open(), { code: 'store.newer', message: 'Cannot read the store: its objects have schema 3; this release knows schemas up to 1' });
  await assert.rejects(open({ migrations: steps.slice(0, 1) }), { code: 'store.newer' });
  assert.deepEqual(contentsOf(directory), contents);
});

test('a process of the older release that has the store open is stopped, not served with what it cannot know', async () => {
  const { open } = await embeddedStores();
  const old = await open();
  await old.transact([], before);
  const store = await open({ migrations: steps });
  await assert.rejects(old.get('x'), { code: 'store.newer' });
  await assert.rejects(old.transact([], [{ key: 'x', value: 0 }]), { code: 'store.newer' });
  assert.deepEqual(await held(store), after);
  await Promise.all([old.close(), store.close()]);
});

test('a migration that throws leaves the store as it was', async () => {
  const { directory, open } = await embeddedStores();
  const first = await open();
  await first.transact([], before);
  await first.close();
  const contents = contentsOf(directory);
  const failing: readonly Migration[] = [{ to: 2, what: 'fails', apply: (key) => { throw new TypeError(`no ${key}`); } }];
  await assert.rejects(open({ migrations: failing }), { name: 'TypeError' });
  await assert.rejects(open({ migrations: [{ to: 2, what: 'a bad key', apply: () => [{ key: 'a b', value: 1 }] }] }), { code: 'request.invalid' });
  assert.deepEqual(contentsOf(directory), contents);
  const again = await open();
  assert.deepEqual(await held(again), before);
  await again.close();
});

test('a power cut or a failing call at any step of a migration leaves the old schema or the new one, whole', async () => {
  const open = (files: FaultFiles, given: readonly Migration[]): Promise<Store> => openEmbeddedStore({
    base: '/home', disk: faultDisk(files), clock: createTestClock(), timers: realTimers, lock: createTestLock(), journalBytes: 700, snapshotStepBytes: 60, migrations: given,
  });
  const ready = async (): Promise<FaultFiles> => {
    const files = createFaultFiles();
    files.makeDirectory('/home', 0o700);
    files.syncDirectory('/');
    const store = await open(files, []);
    await store.transact([], before);
    await store.close();
    return files;
  };
  const counting = await ready();
  const from = counting.steps();
  await open(counting, steps);
  const total = counting.steps() - from;
  assert.ok(total > 10, `${total} steps`);
  for (let step = 1; step <= total; step += 1) {
    for (const how of ['cut', 'fail'] as const) {
      const files = await ready();
      if (how === 'cut') files.cutAt(files.steps() + step);
      else files.failAt(files.steps() + step, 'EIO', 0);
      const outcome = await open(files, steps).then(() => 'opened', () => 'failed');
      const restarted = how === 'cut' ? files.restart(step % 2 === 0 ? 'nothing' : 'zeros') : files;
      const about = `${how} at step ${step}: ${outcome}`;
      const old = await open(restarted, []).then(held, (error: unknown) => Reflect.get(Object(error), 'code'));
      if (old !== 'store.newer') assert.deepEqual(old, before, about);
      assert.deepEqual(await held(await open(restarted, steps)), after, about);
    }
  }
});
