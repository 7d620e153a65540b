/** Backup while the store is in use, checks, and restoring: into nothing, over a store, over a damaged one, from bad files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Files } from '../../lib/ports.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import { createHost } from '../../lib/host/host.ts';
import { backupStore } from '../../lib/store/backup.ts';
import type { BackupReport } from '../../lib/store/backup.ts';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import { checkBackup, checkStore } from '../../lib/store/inspect.ts';
import { openRestore } from '../../lib/store/restore.ts';
import type { RestorePlan } from '../../lib/store/restore.ts';
import type { Store } from '../../lib/store/store.ts';
import { embeddedStores } from '../support/embedded-stores.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';

const live = new AbortController().signal;
const quiet = (): void => undefined;
const tenant = 'tnt_00000000000000000000000001';

/** A store with some objects, and the verbs on it. */
async function ready(): Promise<{ home: string; directory: string; store: Store; open: () => Promise<Store>; backup: (name: string, signal?: AbortSignal) => Promise<BackupReport>; restore: (name: string) => Promise<RestorePlan>; path: (name: string) => string }> {
  const { home, directory, open } = await embeddedStores();
  const { disk, timers, lock } = createHost(() => home);
  const place = { disk, base: home, timers };
  const store = await open();
  await store.transact([], [{ key: 'runs/a', value: { n: 1 } }, { key: `t/${tenant}/runs/b`, value: { n: 2 } }, { key: `t/${tenant}/keys/k`, value: 'ä' }]);
  const path = (name: string): string => join(home, name);
  return {
    home, directory, store, open, path,
    backup: (name, signal = live) => backupStore(place, path(name), quiet, signal),
    restore: (name) => openRestore({ disk, base: home, file: path(name), lock: lock(`${home}/run/store`), lockTimeoutMs: 5000, stamp: 's1' }).apply(() => Promise.resolve()),
  };
}

const keysOf = async (store: Store): Promise<readonly string[]> => (await store.list('', { limit: 1000 })).map(({ key }) => key);

test('a backup holds one moment of a store that is being written, for its owner alone, and is checked like a store', async () => {
  const { home, store, backup, path } = await ready();
  let writing = true;
  const writes = (async () => {
    for (let n = 0; writing; n += 1) await store.transact([], [{ key: 'even', value: n }, { key: 'odd', value: n }]);
  })();
  const report = await backup('b1');
  writing = false;
  await writes;
  const bytes = readFileSync(path('b1'));
  assert.deepEqual([report.bytes, report.sha256, statSync(path('b1')).mode & 0o777], [bytes.length, sha256Hex(bytes), 0o600]);
  const { disk, timers } = createHost(() => home);
  const found = await checkBackup({ disk, base: home, timers }, path('b1'), quiet);
  assert.deepEqual([found.verdict, found.objects, found.tenants, found.revision], ['ok', report.objects, 1, report.revision]);
  assert.equal(found.kinds['runs'], 2);
  const values = [...bytes.toString('utf8').matchAll(/"(?:even|odd)"/g)].length;
  assert.ok(values === 0 || values === 2, 'a transaction is in it whole or not at all');
  const whole = await checkStore({ disk, base: home, timers }, quiet);
  assert.deepEqual([whole.verdict, whole.problem, whole.kinds['keys'], whole.files], ['ok', null, 1, ['journal-1.jsonl']]);
  await store.close();
});

test('a restore puts back what was backed up, moves aside what was there, and revisions go on', async () => {
  const { directory, store, open, backup, restore } = await ready();
  const { revision } = await backup('b');
  for (let n = 0; n < 5; n += 1) await store.transact([], [{ key: 'later', value: n }]);
  await store.close();
  const plan = await restore('b');
  assert.deepEqual([plan.backup_revision, plan.replaced_revision, plan.revision], [revision, 6, 7]);
  const again = await open();
  assert.deepEqual(await keysOf(again), ['runs/a', `t/${tenant}/keys/k`, `t/${tenant}/runs/b`]);
  assert.deepEqual(await again.get('runs/a'), { key: 'runs/a', value: { n: 1 }, revision: 1 });
  assert.deepEqual(await again.transact([], [{ key: 'x', value: 1 }]), { committed: true, revision: 8 });
  await again.close();
  assert.equal(plan.kept_as, join(directory, 'replaced-s1.*'));
  assert.deepEqual(readdirSync(directory).sort(), ['journal-2.jsonl', 'replaced-s1.journal-1.jsonl', 'snapshot-2.jsonl']);
});

test('a restore works where there is no store, and over one that is damaged', async () => {
  const { directory, store, backup, path } = await ready();
  await backup('b');
  await store.close();
  const bytes = readFileSync(path('b'));
  const empty = await ready();
  await empty.store.close();
  writeFileSync(empty.path('b'), bytes);
  const broken = join(empty.directory, 'journal-1.jsonl');
  writeFileSync(broken, readFileSync(broken, 'utf8').replace('"n":1', '"n":9'));
  await assert.rejects(empty.open(), { code: 'store.corrupt' });
  assert.equal((await empty.restore('b')).replaced_revision, 0);
  const again = await empty.open();
  assert.deepEqual((await again.get('runs/a'))?.value, { n: 1 });
  await again.close();
  assert.ok(existsSync(directory));
  const { home, directory: none } = await embeddedStores();
  const { disk, lock } = createHost(() => home);
  disk.ensureDirectory(home, `${home}/run`, 0o700);
  const plan = await openRestore({ disk, base: home, file: path('b'), lock: lock(`${home}/run/store`), lockTimeoutMs: 5000, stamp: 's' }).apply(() => Promise.resolve());
  assert.deepEqual([plan.kept_as, plan.replaced_revision, plan.revision, readdirSync(none)], [null, null, 2, ['journal-2.jsonl', 'snapshot-2.jsonl']]);
});

test('what a process that has the store open reads after a restore is what was restored', async () => {
  const { store, backup, restore } = await ready();
  await backup('b');
  await store.transact([], [{ key: 'later', value: 1 }]);
  await restore('b');
  assert.deepEqual(await store.transact([{ key: 'later', revision: 2 }], [{ key: 'later', value: 2 }]), { committed: false, conflict: 'later' });
  assert.equal(await store.get('later'), undefined);
  await store.close();
});

test('backups that are cut, changed, newer, missing or something else are refused, and nothing is touched', async () => {
  const { directory, store, backup, restore, path } = await ready();
  await backup('b');
  await store.close();
  const text = readFileSync(path('b'), 'utf8');
  const lines = text.trimEnd().split('\n');
  const head = '{"store":3,"schema":1,"generation":1,"revision":1,"after":"0000000000000000"';
  const schema = '{"store":2,"schema":9,"generation":1,"revision":1,"after":"0000000000000000"';
  const sealed = (line: string): string => `${line},"sum":"${sha256Hex('0'.repeat(16) + line).slice(0, 16)}"}\n`;
  const schemaSum = sha256Hex('0'.repeat(16) + schema).slice(0, 16);
  const end = '{"end":0,"revision":1';
  const bad: readonly (readonly [string, string, RegExp])[] = [
    [text.slice(0, -30), 'store.corrupt', /byte \d+: /], [`${lines.slice(0, -1).join('\n')}\n`, 'store.corrupt', /it ends too early/], [text.replace('"n":1', '"n":9'), 'store.corrupt', /does not match its checksum/],
    [`${text}{"end":0}\n`, 'store.corrupt', /does not match/], ['', 'store.corrupt', /it ends too early/], ['hello\n', 'store.corrupt', /does not match/],
    [readFileSync(join(directory, 'journal-1.jsonl'), 'utf8'), 'store.corrupt', /does not belong into a snapshot/], [sealed(head), 'store.newer', /format 3; this release reads formats up to 2/],
    [`${sealed(schema)}${end},"sum":"${sha256Hex(schemaSum + end).slice(0, 16)}"}\n`, 'store.newer', /schema 9; this release knows schemas up to 1/],
  ];
  const before = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
  for (const [content, code, message] of bad) {
    writeFileSync(path('bad'), content);
    await assert.rejects(async () => restore('bad'), { code, message }, content.slice(0, 80));
  }
  await assert.rejects(async () => restore('none'), { code: 'not_found' });
  assert.deepEqual(readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8')), before);
});

test('a backup over a file that is there, of no store, or interrupted writes nothing', async () => {
  const { home, store, backup, path } = await ready();
  writeFileSync(path('there'), 'mine');
  await assert.rejects(backup('there'), { code: 'conflict', message: /^Cannot back up the store to ".*": the file is there$/ });
  assert.equal(readFileSync(path('there'), 'utf8'), 'mine');
  const { disk, timers } = createHost(() => home);
  await assert.rejects(backupStore({ disk, base: join(home, 'nowhere'), timers }, path('n'), quiet, live), { code: 'not_found' });
  assert.equal(existsSync(path('n')), false);
  assert.deepEqual(readdirSync(home).filter((name) => name.startsWith('.tmp')), []);
  await store.close();
});

test('a check tells damage from what is missing, and where', async () => {
  const { home, directory, store, open } = await ready();
  const { disk, timers } = createHost(() => home);
  const check = async (): Promise<readonly unknown[]> => {
    const { verdict, problem } = await checkStore({ disk, base: home, timers }, quiet);
    return [verdict, problem];
  };
  await store.close();
  const small = await open();
  await small.close();
  const journal = join(directory, 'journal-1.jsonl');
  const whole = readFileSync(journal, 'utf8');
  writeFileSync(journal, `${whole}{"revision":2,"tr`);
  assert.deepEqual(await check(), ['ok', null], 'a torn tail was never acknowledged');
  writeFileSync(journal, whole.replace('"n":1', '"n":9'));
  const [verdict, problem] = await check();
  assert.equal(verdict, 'damaged');
  assert.match(String(problem), /journal-1\.jsonl, byte 110|journal-1\.jsonl, byte \d+: the line does not match its checksum/);
  writeFileSync(join(directory, 'snapshot-2.jsonl'), '');
  writeFileSync(join(directory, 'journal-2.jsonl'), '');
  unlinkSync(journal);
  assert.equal((await check())[0], 'incomplete');
  unlinkSync(join(directory, 'snapshot-2.jsonl'));
  assert.deepEqual((await check())[0], 'incomplete');
});

test('a full disk or a power cut at any step of a restore leaves the store that was there or the restored one', async () => {
  const at = { base: '/home', clock: createTestClock(), timers: realTimers };
  const open = (files: Files): Promise<Store> => openEmbeddedStore({ ...at, disk: faultDisk(files), lock: createTestLock() });
  const prepared = async (): Promise<ReturnType<typeof createFaultFiles>> => {
    const files = createFaultFiles();
    files.makeDirectory('/home', 0o700);
    files.syncDirectory('/');
    const store = await open(files);
    await store.transact([], [{ key: 'old', value: 1 }]);
    await backupStore({ base: '/home', disk: faultDisk(files), timers: realTimers }, '/home/b', quiet, live);
    await store.transact([], [{ key: 'new', value: 1 }]);
    await store.close();
    return files;
  };
  const restore = (files: Files): Promise<unknown> => openRestore({ disk: faultDisk(files), base: '/home', file: '/home/b', lock: createTestLock(), lockTimeoutMs: 100, stamp: 'x' }).apply(() => Promise.resolve());
  const counting = await prepared();
  const from = counting.steps();
  await restore(counting);
  const total = counting.steps() - from;
  assert.ok(total > 8, `${total} steps`);
  for (let step = 1; step <= total; step += 1) {
    for (const how of ['ENOSPC', 'nothing', 'zeros'] as const) {
      const files = await prepared();
      if (how === 'ENOSPC') files.failAt(files.steps() + step, how, 10);
      else files.cutAt(files.steps() + step);
      await restore(files).catch(quiet);
      const store = await open(how === 'ENOSPC' ? files : files.restart(how));
      const keys = (await keysOf(store)).join(' ');
      assert.ok(keys === 'new old' || keys === 'old', `${how} at step ${step}: ${keys}`);
      assert.ok((await store.transact([], [{ key: 'x', value: 1 }])).committed);
      await store.close();
    }
  }
});
