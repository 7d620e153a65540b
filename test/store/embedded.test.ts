/** The embedded store on the real disk, several store objects on one folder standing for several processes. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../lib/store/store.ts';
import type { StoreTrouble } from '../../lib/store/writer.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import { Draw } from '../support/property.ts';
import { realTimers } from '../support/fakes.ts';
import { embeddedStores } from '../support/embedded-stores.ts';
import { packageRoot } from '../support/root.ts';
import { assertIndexesHold, randomChanges } from './listing-suite.ts';
import { collect, revisionOf, storeSuite } from './store-suite.ts';

storeSuite('embedded', async ({ history }) => (await embeddedStores()).open({ history }));

const put = (store: Store, key: string, value: string): Promise<number> => store.transact([], [{ key, value }]).then(revisionOf);

/** Three transactions in a closed store; gives the path and text of its journal. */
async function written(directory: string, open: () => Promise<Store>): Promise<{ readonly path: string; readonly text: string }> {
  const store = await open();
  for (const key of ['a', 'b', 'c']) await put(store, key, `value of ${key}`);
  await store.close();
  const path = join(directory, 'journal-1.jsonl');
  return { path, text: readFileSync(path, 'utf8') };
}

test('what one process had acknowledged another one gets at once', async () => {
  const { open } = await embeddedStores();
  const [one, two] = [await open(), await open()];
  for (let n = 1; n <= 20; n += 1) {
    const [writer, reader] = n % 2 === 0 ? [one, two] : [two, one];
    assert.equal(await put(writer, 'a', `v${n}`), n);
    assert.deepEqual(await reader.get('a'), { key: 'a', value: `v${n}`, revision: n });
    assert.equal(await reader.revision(), n);
  }
  await Promise.all([one.close(), two.close()]);
});

test('compare-and-set holds between processes: exactly one of many wins', async () => {
  const { open } = await embeddedStores();
  const stores = [await open(), await open(), await open()];
  const tries = Array.from({ length: 30 }, (_, n) => stores[n % 3]?.transact([{ key: 'leader', revision: 0 }], [{ key: 'leader', value: n }]));
  assert.equal((await Promise.all(tries)).filter((outcome) => outcome?.committed).length, 1);
  await Promise.all(stores.map((store) => store.close()));
});

test('a watcher in another process gets changes soon, also once it was idle', async () => {
  const { open } = await embeddedStores();
  const [one, two] = [await open(), await open()];
  const watch = two.watch('runs/', 0, new AbortController().signal)[Symbol.asyncIterator]();
  // It looks every 50 ms, every 250 ms once it was idle; the rest is room for a busy machine.
  for (const [idleMs, within] of [[0, 300], [1500, 600]] as const) {
    const next = watch.next();
    await delay(idleMs);
    const revision = await put(one, 'runs/a', 'x');
    const since = performance.now();
    assert.deepEqual(await next, { done: false, value: [{ key: 'runs/a', value: 'x', revision }] });
    assert.ok(performance.now() - since < within, `${performance.now() - since} ms`);
  }
  await Promise.all([one.close(), two.close()]);
  assert.deepEqual(await watch.next(), { done: true, value: undefined });
});

test('a journal that has grown is followed by a snapshot and a new one, and other processes go on with it', async () => {
  const { directory, open } = await embeddedStores();
  const [one, two] = [await open({ journalBytes: 2000 }), await open({ journalBytes: 2000 })];
  const seen = collect(two, '', 0, 100);
  for (let n = 1; n <= 100; n += 1) await put(n % 7 === 0 ? two : one, `k/${n % 10}`, `value ${n} ${'x'.repeat(40)}`);
  assert.deepEqual((await seen).map((batch) => batch[0]?.revision), Array.from({ length: 100 }, (_, at) => at + 1));
  const generation = Number(/journal-(\d+)/.exec(readdirSync(directory).join(' '))?.[1]);
  assert.ok(generation >= 4, `generation ${generation}`);
  assert.deepEqual(readdirSync(directory).sort(), [`journal-${generation}.jsonl`, `snapshot-${generation}.jsonl`]);
  assert.ok(statSync(join(directory, `journal-${generation}.jsonl`)).size < 4000);
  const three = await open();
  for (const store of [one, two, three]) {
    assert.equal(await store.revision(), 100);
    assert.deepEqual((await store.list('k/', { limit: 100 })).map(({ revision }) => revision).sort((a, b) => a - b), [91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  }
  await Promise.all([one, two, three].map((store) => store.close()));
});

test('indexes hold in every process, through new generations, and when the store is opened again', async () => {
  const { open } = await embeddedStores();
  const draw = new Draw(11);
  let [one, two] = [await open({ journalBytes: 3000 }), await open()];
  for (let round = 0; round < 30; round += 1) {
    await (draw.chance(0.5) ? one : two).transact([], randomChanges(draw));
    if (round % 6 === 5) await Promise.all([assertIndexesHold(one, 3), assertIndexesHold(two, 50)]);
    if (round % 10 !== 9) continue;
    await two.close();
    two = await open();
    await assertIndexesHold(two, 4);
  }
  await Promise.all([one.close(), two.close()]);
});

test('a process that slept through several generations reads the newest, and its watchers are told what is gone', async () => {
  const { open } = await embeddedStores();
  // It sleeps between two looks, here until the end: on a slow machine it would keep up otherwise.
  const sound = { ...realTimers, sleep: (milliseconds: number) => (milliseconds < 50 ? realTimers.sleep(milliseconds) : new Promise<void>(() => undefined)) };
  const [one, sleeper] = [await open({ journalBytes: 500 }), await open({ timers: sound })];
  await put(one, 'a', 'first');
  const watch = sleeper.watch('', 0, new AbortController().signal)[Symbol.asyncIterator]();
  await watch.next();
  for (let n = 0; n < 60; n += 1) await put(one, 'a', `value ${n} ${'x'.repeat(60)}`);
  assert.equal(await sleeper.revision(), 61);
  assert.equal((await sleeper.get('a'))?.revision, 61);
  await assert.rejects(watch.next(), { code: 'gone' });
  assert.equal(await put(sleeper, 'a', 'again'), 62);
  assert.equal((await one.get('a'))?.value, 'again');
  await Promise.all([one.close(), sleeper.close()]);
});

test('a torn tail is left alone by readers, and set aside whole and reported when it is written on', async () => {
  const { home, directory, open } = await embeddedStores();
  const { path, text } = await written(directory, open);
  appendFileSync(path, '{"revision":4,"transac');
  const troubles: StoreTrouble[] = [];
  const store = await open({ onTrouble: (trouble) => troubles.push(trouble) });
  assert.equal(await store.revision(), 3);
  assert.equal(readFileSync(path, 'utf8'), `${text}{"revision":4,"transac`);
  assert.equal(await put(store, 'd', 'x'), 4);
  const [kept = ''] = readdirSync(join(home, 'dashboard/torn'));
  assert.equal(readFileSync(join(home, 'dashboard/torn', kept), 'utf8'), '{"revision":4,"transac');
  assert.equal(troubles.length, 1);
  assert.ok(readFileSync(path, 'utf8').startsWith(`${text}{"revision":4,"transactions":[[["d","x"]]],"sum":"`));
  await store.close();
});

test('a torn tail that another process leaves while the store is open is set aside, and writing goes on', async () => {
  const { home, directory, open } = await embeddedStores();
  const store = await open();
  assert.equal(await put(store, 'a', 'x'), 1);
  appendFileSync(join(directory, 'journal-1.jsonl'), '{"revision":2,"tr');
  assert.equal((await store.get('a'))?.value, 'x');
  assert.equal(await put(store, 'b', 'x'), 2);
  assert.equal(readdirSync(join(home, 'dashboard/torn')).length, 1);
  await store.close();
});

test('damage that no power cut explains is refused with the file and the byte, whatever was damaged', async () => {
  const damages: readonly (readonly [string, (lines: readonly string[]) => readonly string[]])[] = [
    ['a changed value', (lines) => lines.map((line) => line.replace('value of b', 'value of B'))],
    ['a changed last line', (lines) => lines.map((line) => line.replace('value of c', 'value of C'))],
    ['a deleted line', (lines) => lines.toSpliced(2, 1)],
    ['two lines in another order', (lines) => [lines[0] ?? '', lines[2] ?? '', lines[1] ?? '', lines[3] ?? '']],
    ['a doubled line', (lines) => [...lines, lines[3] ?? '']],
    ['a missing first line', (lines) => lines.slice(1)],
    ['an empty line', (lines) => [...lines, '']],
    ['NUL bytes in the middle', (lines) => lines.map((line) => line.replace('value of b', '\0'.repeat(10)))],
    ['a line of its own', (lines) => [...lines, '{"revision":4,"transactions":[[["d",1]]],"sum":"0123456789abcdef"}']],
  ];
  for (const [what, damage] of damages) {
    const { directory, open } = await embeddedStores();
    const { path, text } = await written(directory, open);
    const damaged = `${damage(text.trimEnd().split('\n')).join('\n')}\n`;
    assert.notEqual(damaged, text, what);
    writeFileSync(path, damaged);
    await assert.rejects(open(), { code: 'store.corrupt', message: /^Cannot read the store: journal-1\.jsonl, byte \d+: / }, what);
    assert.equal(readFileSync(path, 'utf8'), damaged, `${what}: nothing was repaired`);
  }
});

test('a line that is whole in itself and comes from another store of the same age is refused', async () => {
  const { directory, open } = await embeddedStores();
  const { path, text } = await written(directory, open);
  const other = await embeddedStores();
  const store = await other.open();
  for (const key of ['a', 'x', 'c']) await put(store, key, `value of ${key}`);
  await store.close();
  const foreign = readFileSync(join(other.directory, 'journal-1.jsonl'), 'utf8').split('\n');
  const own = text.split('\n');
  assert.deepEqual([foreign[1], foreign[3] === own[3]], [own[1], false]);
  writeFileSync(path, [own[0], own[1], own[2], foreign[3], ''].join('\n'));
  await assert.rejects(open(), { code: 'store.corrupt', message: /the line does not match its checksum/ });
});

test('any single damaged bit of a journal or a snapshot is found', async () => {
  const { directory, open } = await embeddedStores();
  const first = await open({ journalBytes: 300 });
  for (let n = 0; n < 4; n += 1) await put(first, `k/${n}`, 'x'.repeat(60));
  await put(first, 'k/4', 'y');
  await first.close();
  const names = readdirSync(directory);
  assert.equal(names.length, 2);
  for (const name of names) {
    const path = join(directory, name);
    const whole = readFileSync(path);
    const pace = 5;
    for (let at = 0; at < whole.length; at += pace) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      // The last byte is the line feed: without it the line is a torn tail, which a first reader may leave alone.
      if (at === whole.length - 1) continue;
      writeFileSync(path, damaged);
      await assert.rejects(open(), { code: 'store.corrupt' }, `${name} byte ${at}`);
    }
    writeFileSync(path, whole);
  }
  const again = await open();
  assert.equal(await again.revision(), 5);
  await again.close();
});

test('damage that comes while the store is open is refused by reads, writes and watchers', async () => {
  const { directory, open } = await embeddedStores();
  const store = await open();
  await put(store, 'a', 'x');
  const watch = store.watch('', 1, new AbortController().signal)[Symbol.asyncIterator]().next();
  appendFileSync(join(directory, 'journal-1.jsonl'), 'not a line of the store\n');
  const refused = { code: 'store.corrupt', message: /does not match its checksum/ };
  await assert.rejects(store.get('a'), refused);
  await assert.rejects(put(store, 'b', 'x'), refused);
  await assert.rejects(watch, refused);
  await store.close();
});

test('missing or cut files are refused, not taken for an empty store', async () => {
  const harms: readonly (readonly [string, RegExp, (directory: string, generation: number) => void])[] = [
    ['no journal', /there is a snapshot and no journal/, (directory, n) => rmSync(join(directory, `journal-${n}.jsonl`))],
    ['no snapshot', /snapshot-\d+\.jsonl, byte 0: it is missing/, (directory, n) => rmSync(join(directory, `snapshot-${n}.jsonl`))],
    ['an empty journal', /its first line is missing/, (directory, n) => truncateSync(join(directory, `journal-${n}.jsonl`), 0)],
    ['a cut snapshot', /snapshot-\d+\.jsonl, byte \d+: (it ends too early|the line does not match)/, (directory, n) => {
      const path = join(directory, `snapshot-${n}.jsonl`);
      writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, -2).join('\n')}\n`);
    }],
  ];
  for (const [what, message, harm] of harms) {
    const { directory, open } = await embeddedStores();
    const store = await open({ journalBytes: 300 });
    for (let n = 0; n < 8; n += 1) await put(store, 'a', 'x'.repeat(60));
    await store.close();
    harm(directory, Number(/journal-(\d+)/.exec(readdirSync(directory).join(' '))?.[1]));
    await assert.rejects(open(), { code: 'store.corrupt', message }, what);
  }
});

test('files of a newer release are refused by their format, and left as they are', async () => {
  const { directory, open } = await embeddedStores();
  const { path } = await written(directory, open);
  const head = '{"store":3,"generation":1,"revision":0,"after":"0000000000000000"';
  writeFileSync(path, `${head},"sum":"${sha256Hex(`${'0'.repeat(16)}${head}`).slice(0, 16)}"}\n`);
  const newer = readFileSync(path);
  await assert.rejects(open(), { code: 'store.newer', message: /^Cannot read the store: its files have format 3; this release reads formats up to 2$/ });
  assert.deepEqual(readFileSync(path), newer);
});

test('files of others in the folder are left alone', async () => {
  const { directory, open } = await embeddedStores();
  const first = await open({ journalBytes: 300 });
  for (const name of ['journal-0.jsonl', 'journal-x.jsonl', 'journal-1.jsonl.bak', 'notes.txt']) writeFileSync(join(directory, name), 'mine');
  for (let n = 0; n < 8; n += 1) await put(first, 'a', 'x'.repeat(60));
  await first.close();
  const again = await open();
  assert.equal(await again.revision(), 8);
  await again.close();
  for (const name of ['journal-0.jsonl', 'journal-x.jsonl', 'journal-1.jsonl.bak', 'notes.txt']) assert.equal(readFileSync(join(directory, name), 'utf8'), 'mine');
});

const document = join(packageRoot, 'docs/formats/store.md');

// A copy of dist/ and fixtures/ alone has no docs to hold against the code.
if (existsSync(document)) {
  test('the example in docs/formats/store.md is what the store writes', async () => {
    const { directory, open } = await embeddedStores();
    const store = await open({ journalBytes: 250 });
    await store.transact([], [{ key: 'projects/prj_1', value: { name: 'shop' } }, { key: 'runs/run_1', value: { status: 'pending' } }]);
    const before = readFileSync(join(directory, 'journal-1.jsonl'), 'utf8');
    await store.transact([{ key: 'runs/run_1', revision: 1 }], [{ key: 'runs/run_1', value: undefined }]);
    const after = readdirSync(directory).sort().map((name) => readFileSync(join(directory, name), 'utf8'));
    for (const text of [before, ...after]) assert.ok(readFileSync(document, 'utf8').includes(text), text);
    await store.close();
  });
}
