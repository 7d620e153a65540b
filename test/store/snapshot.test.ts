/** Snapshots: written beside what goes on, read back lazily, older formats, and what is refused of them. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256Hex } from '../../lib/base/digest.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import { runTerms } from '../../lib/store/indexes.ts';
import type { Store } from '../../lib/store/store.ts';
import type { StoreTrouble } from '../../lib/store/writer.ts';
import { realTimers } from '../support/fakes.ts';
import { embeddedStores } from '../support/embedded-stores.ts';
import { revisionOf } from './store-suite.ts';

const put = (store: Store, key: string, value: JsonValue): Promise<number> => store.transact([], [{ key, value }]).then(revisionOf);
const all = (store: Store): Promise<unknown> => store.list('', { limit: 10_000 });

/** Lines with their sums, as a file. */
function sealed(bodies: readonly string[], before: string): string {
  let sum = before;
  return bodies.map((body) => {
    const head = body.slice(0, -1);
    sum = sha256Hex(sum + head).slice(0, 16);
    return `${head},"sum":"${sum}"}\n`;
  }).join('');
}

test('a large snapshot is written while transactions go on, and holds with the journal after it', async () => {
  const { directory, open } = await embeddedStores();
  const [store, other] = [await open({ journalBytes: 30_000, snapshotStepBytes: 2000 }), await open()];
  let between = 0;
  for (let n = 0; n < 600; n += 1) {
    await put(store, `k/${n % 150}`, { n, text: 'x'.repeat(100) });
    if (n % 7 === 0) await store.transact([], [{ key: `k/${(n * 31) % 150}`, value: undefined }]);
    if (readdirSync(directory).some((name) => name.endsWith('.tmp'))) between += 1;
  }
  assert.ok(between > 10, `${between} transactions while a snapshot was being written`);
  const expected = await all(store);
  assert.deepEqual(await all(other), expected);
  await store.close();
  const names = readdirSync(directory).sort();
  assert.equal(names.length, 2, names.join(' '));
  const again = await open();
  assert.deepEqual(await all(again), expected);
  await Promise.all([again.close(), other.close()]);
});

test('a snapshot that a process could not finish is missed by nobody, and the next generation has one', async () => {
  const { directory, open } = await embeddedStores();
  const never = { ...realTimers, after: () => () => undefined };
  const first = await open({ journalBytes: 5000, snapshotStepBytes: 500, timers: never });
  for (let n = 0; n < 60; n += 1) await put(first, `k/${n}`, 'x'.repeat(100));
  const expected = await all(first);
  // As if it had been killed: it is never closed, and what it was writing lies around.
  assert.ok(readdirSync(directory).includes('journal-1.jsonl'), readdirSync(directory).join(' '));
  const second = await open({ journalBytes: 5000 });
  assert.deepEqual(await all(second), expected);
  for (let n = 0; n < 60; n += 1) await put(second, `k/${n}`, 'y'.repeat(100));
  await second.close();
  assert.equal(readdirSync(directory).filter((name) => name.startsWith('journal')).length, 1, readdirSync(directory).join(' '));
  await first.close();
  const third = await open();
  assert.equal((await third.get('k/7'))?.value, 'y'.repeat(100));
  assert.equal(await third.revision(), 120);
  await third.close();
});

test('many large objects make a snapshot that can be read', async () => {
  const { directory, open } = await embeddedStores();
  const store = await open({ journalBytes: 20 * 1024 * 1024 });
  const text = 'x'.repeat(1024 * 1024 - 100);
  for (let n = 0; n < 22; n += 1) await put(store, `k/${n}`, text);
  await store.close();
  assert.ok(readdirSync(directory).some((name) => /^snapshot-2\.jsonl$/.test(name)));
  const again = await open();
  assert.equal((await again.get('k/21'))?.value, text);
  await again.close();
});

test('what was read out of a snapshot is what was written, changed or not', async () => {
  const { open } = await embeddedStores();
  const store = await open({ journalBytes: 1500 });
  const values: readonly JsonValue[] = [null, 0, -1.5, '', 'ä\u2028"\\', [], {}, { a: [{ b: 'ünï' }] }, JSON.parse('{"__proto__":{"x":1}}'), '],"values":[', 'x'.repeat(900)];
  for (const [n, value] of values.entries()) await put(store, `v/${n}`, value);
  await put(store, 'runs/r', { project_id: 'p', status: 'failed' });
  for (let n = 0; n < 20; n += 1) await put(store, 'z', 'x'.repeat(100));
  await store.close();
  const again = await open({ journalBytes: 1500 });
  for (const [n, value] of values.entries()) assert.equal(JSON.stringify((await again.get(`v/${n}`))?.value), JSON.stringify(value));
  const entry = await again.get('v/7');
  assert.equal(await again.get('v/7'), entry, 'what was read not long ago is not parsed again');
  assert.throws(() => { Object.assign(Object(Reflect.get(Object(entry?.value), 'a')), { 0: 9 }); }, TypeError);
  await put(again, 'v/7', { a: 'new' });
  assert.deepEqual((await again.get('v/7'))?.value, { a: 'new' });
  assert.equal((await again.listBy(...runTerms.status('failed'), { limit: 5 })).length, 1);
  await put(again, 'runs/r', { project_id: 'p', status: 'done' });
  assert.equal((await again.listBy(...runTerms.status('failed'), { limit: 5 })).length, 0);
  await again.close();
});

const zeros = '0'.repeat(16);

/** Generation 2 of a store in format 1, as the release before wrote it. */
function writeFormat1(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const begin = '{"store":1,"generation":2,"revision":2,"after":"5fa0fde2669a5fb3"}';
  writeFileSync(join(directory, 'snapshot-2.jsonl'), sealed([begin, '{"objects":[["projects/prj_1",1,{"name":"shop"}]]}', '{"end":1}'], '5fa0fde2669a5fb3'), { mode: 0o600 });
  writeFileSync(join(directory, 'journal-2.jsonl'), sealed([begin, '{"revision":3,"transactions":[[["runs/a",{"status":"failed"}]]]}'], '5fa0fde2669a5fb3'), { mode: 0o600 });
}

test('a store in format 1 is read, goes on, and is in format 2 from its next generation', async () => {
  const { directory, open } = await embeddedStores();
  writeFormat1(directory);
  const store = await open({ journalBytes: 600 });
  assert.deepEqual(await all(store), [{ key: 'projects/prj_1', value: { name: 'shop' }, revision: 1 }, { key: 'runs/a', value: { status: 'failed' }, revision: 3 }]);
  for (let n = 4; n < 20; n += 1) assert.equal(await put(store, 'runs/b', 'x'.repeat(100)), n);
  await store.close();
  for (const name of readdirSync(directory)) assert.match(readFileSync(join(directory, name), 'utf8'), /^\{"store":2,"schema":1,/, name);
  const again = await open();
  assert.deepEqual((await again.get('projects/prj_1')), { key: 'projects/prj_1', value: { name: 'shop' }, revision: 1 });
  await again.close();
});

test('a step to the next generation that the release before did not finish loses nothing', async () => {
  const { directory, open } = await embeddedStores();
  writeFormat1(directory);
  // Its snapshot and journal stood; the line that leads there was never written, and the old journal went on.
  const begin = '{"store":1,"generation":3,"revision":2,"after":"5fa0fde2669a5fb3"}';
  writeFileSync(join(directory, 'snapshot-3.jsonl'), sealed([begin, '{"end":0}'], '5fa0fde2669a5fb3'), { mode: 0o600 });
  writeFileSync(join(directory, 'journal-3.jsonl'), sealed([begin], '5fa0fde2669a5fb3'), { mode: 0o600 });
  const store = await open({ journalBytes: 600 });
  for (let n = 4; n < 20; n += 1) assert.equal(await put(store, 'runs/b', 'x'.repeat(100)), n);
  await store.close();
  const again = await open();
  assert.deepEqual((await again.list('', { limit: 9 })).map(({ key }) => key), ['projects/prj_1', 'runs/a', 'runs/b']);
  await again.close();
});

test('a snapshot that knows more than the journal after it is refused', async () => {
  const { directory, open } = await embeddedStores();
  mkdirSync(directory, { recursive: true });
  const begin = `{"store":2,"schema":1,"generation":2,"revision":1,"after":"${zeros}"}`;
  const objects = '{"keys":["a"],"revisions":[3],"lengths":[1],"values":[7]}';
  writeFileSync(join(directory, 'snapshot-2.jsonl'), sealed([begin, objects, '{"end":1,"revision":3}'], zeros), { mode: 0o600 });
  writeFileSync(join(directory, 'journal-2.jsonl'), sealed([begin, '{"revision":2,"transactions":[[["a",6]]]}'], zeros), { mode: 0o600 });
  await assert.rejects(open(), { code: 'store.corrupt', message: /it ends at revision 2, and the snapshot before it reaches 3/ });
  writeFileSync(join(directory, 'journal-2.jsonl'), sealed([begin, '{"revision":2,"transactions":[[["a",6]],[["a",7]]]}'], zeros), { mode: 0o600 });
  const store = await open();
  assert.deepEqual(await store.get('a'), { key: 'a', value: 7, revision: 3 });
  await store.close();
});

test('lines of objects that are not what they say are refused', async () => {
  const wrong: readonly string[] = [
    '{"keys":["a"],"revisions":[1],"lengths":[2],"values":[7]}', '{"keys":["a"],"revisions":[1],"lengths":[0],"values":[]}', '{"keys":["a","b"],"revisions":[1,1],"lengths":[1,1],"values":[7;8]}',
    '{"keys":["a"],"revisions":[1,2],"lengths":[1],"values":[7]}', '{"keys":[1],"revisions":[1],"lengths":[1],"values":[7]}', '{"keys":["a"],"revisions":[-1],"lengths":[1],"values":[7]}',
    '{"keys":["a"],"revisions":[1],"lengths":[1]}', '{"keys":["a"],"revisions":[1],"lengths":[9007199254740991],"values":[7]}',
  ];
  for (const objects of wrong) {
    const { directory, open } = await embeddedStores();
    mkdirSync(directory, { recursive: true });
    const begin = `{"store":2,"schema":1,"generation":2,"revision":1,"after":"${zeros}"}`;
    writeFileSync(join(directory, 'snapshot-2.jsonl'), sealed([begin, objects, '{"end":1,"revision":1}'], zeros), { mode: 0o600 });
    writeFileSync(join(directory, 'journal-2.jsonl'), sealed([begin], zeros), { mode: 0o600 });
    await assert.rejects(open(), { code: 'store.corrupt', message: /snapshot-2\.jsonl, byte \d+: / }, objects);
  }
});

test('a snapshot that cannot be written is told of, and tried again later', async () => {
  const { directory, open } = await embeddedStores();
  const troubles: StoreTrouble[] = [];
  const store = await open({ journalBytes: 3000, snapshotStepBytes: 500, onTrouble: (trouble) => troubles.push(trouble) });
  // A folder stands where the file is to be.
  mkdirSync(join(directory, 'snapshot-2.jsonl.tmp'), { recursive: true });
  for (let n = 0; n < 40; n += 1) await put(store, 'k', 'x'.repeat(100));
  assert.ok(troubles.some(({ kind }) => kind === 'snapshot_failed'));
  rmSync(join(directory, 'snapshot-2.jsonl.tmp'), { recursive: true, force: true });
  for (let n = 0; n < 60; n += 1) await put(store, 'k', 'x'.repeat(100));
  await store.close();
  assert.equal(readdirSync(directory).filter((name) => name.startsWith('journal')).length, 1, readdirSync(directory).join(' '));
});
