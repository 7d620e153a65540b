/**
 * The embedded store on a disk that loses power at every single step, and that leaves of unsynced data nothing, half, all or
 * zeros. Whatever was acknowledged is there afterwards, in a contiguous row of revisions, and the store goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Files, Timers } from '../../lib/ports.ts';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import type { Store } from '../../lib/store/store.ts';
import type { StoreTrouble } from '../../lib/store/writer.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, leftovers } from '../support/fault-files.ts';
import type { FaultFiles } from '../support/fault-files.ts';
import { stride } from '../support/long.ts';

const transactions = 9;
const text = 'x'.repeat(150);

function emptyDisk(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory('/home', 0o700);
  files.syncDirectory('/');
  return files;
}

function open(files: Files, onTrouble: (trouble: StoreTrouble) => void = () => undefined): Promise<Store> {
  return openEmbeddedStore({ base: '/home', disk: faultDisk(files), clock: createTestClock(), timers: realTimers, lock: createTestLock(), journalBytes: 1000, onTrouble });
}

/** Writes until done or the disk fails; gives the number of the last acknowledged transaction. */
async function write(store: Store, from: number, to: number): Promise<number> {
  let acknowledged = from - 1;
  for (let n = from; n <= to; n += 1) {
    try {
      await store.transact([], [{ key: `n/${n}`, value: { n, text } }, { key: 'latest', value: n }]);
    } catch {
      break;
    }
    acknowledged = n;
  }
  return acknowledged;
}

async function run(files: Files): Promise<number> {
  try {
    return await write(await open(files), 1, transactions);
  } catch {
    return 0;
  }
}

/** The store holds transactions 1 to n, whole and nothing else; gives n. */
async function heldTransactions(store: Store, about: string): Promise<number> {
  const revision = await store.revision();
  const entries = await store.list('n/', { limit: 1000 });
  const numbers = entries.map(({ key }) => Number(key.slice(2))).sort((a, b) => a - b);
  assert.deepEqual(numbers, Array.from({ length: revision }, (_, at) => at + 1), about);
  for (const { key, value, revision: at } of entries) assert.deepEqual([value, at], [{ n: Number(key.slice(2)), text }, Number(key.slice(2))], about);
  assert.equal((await store.get('latest'))?.value, revision === 0 ? undefined : revision, about);
  return revision;
}

async function stepsOf(scenario: (files: FaultFiles) => Promise<unknown>): Promise<readonly string[]> {
  const files = emptyDisk();
  const before = files.steps();
  await scenario(files);
  return files.log().slice(before);
}

test('a power cut at any step loses nothing acknowledged and leaves a store that goes on', { timeout: 60_000 }, async () => {
  const steps = await stepsOf(run);
  assert.ok(steps.filter((step) => step.includes('rename')).length >= 2, 'the scenario begins at least two new generations');
  for (let step = 1; step <= steps.length; step += stride(3)) {
    for (const leftover of leftovers) {
      const files = emptyDisk();
      files.cutAt(files.steps() + step);
      const acknowledged = await run(files);
      const about = `cut at ${steps[step - 1]}, ${leftover} left`;
      const store = await open(files.restart(leftover));
      const held = await heldTransactions(store, about);
      assert.ok(held >= acknowledged && held <= acknowledged + 1, `${about}: ${acknowledged} acknowledged, ${held} held`);
      assert.equal(await write(store, held + 1, held + 3), held + 3, about);
      await heldTransactions(store, about);
      await store.close();
    }
  }
});

/** Steps of a snapshot follow each other as soon as others had their turn: with transactions in between. */
const steppingTimers: Timers = { ...realTimers, after: (_, run) => { const handle = setImmediate(run); return () => { clearImmediate(handle); }; } };

function openInSteps(files: Files): Promise<Store> {
  return openEmbeddedStore({ base: '/home', disk: faultDisk(files), clock: createTestClock(), timers: steppingTimers, lock: createTestLock(), journalBytes: 1000, snapshotStepBytes: 300 });
}

async function runInSteps(files: Files): Promise<number> {
  let acknowledged = 0;
  try {
    const store = await openInSteps(files);
    acknowledged = await write(store, 1, transactions);
    await store.close();
  } catch {
    return acknowledged;
  }
  return acknowledged;
}

test('a power cut at any step loses nothing acknowledged while a snapshot is written between transactions', { timeout: 60_000 }, async () => {
  const steps = await stepsOf(runInSteps);
  const text = steps.join('\n');
  const created = text.indexOf('create /home/dashboard/store/snapshot-2.jsonl.tmp');
  const writes = text.slice(created, text.indexOf('rename', created)).match(/write/g) ?? [];
  assert.ok(writes.length > 6, `only ${writes.length} writes while a snapshot was written: its steps and transactions in between`);
  for (let step = 1; step <= steps.length; step += 1) {
    for (const leftover of ['nothing', 'zeros'] as const) {
      const files = emptyDisk();
      files.cutAt(files.steps() + step);
      const acknowledged = await runInSteps(files);
      const about = `cut at ${steps[step - 1]}, ${leftover} left`;
      const restarted = files.restart(leftover);
      const store = await openInSteps(restarted);
      const held = await heldTransactions(store, about);
      assert.ok(held >= acknowledged && held <= acknowledged + 1, `${about}: ${acknowledged} acknowledged, ${held} held`);
      assert.equal(await write(store, held + 1, held + 6), held + 6, about);
      await store.close();
      await heldTransactions(await openInSteps(restarted), about);
    }
  }
});

test('a process that dies while a snapshot is written leaves nothing that the next one could lose in a power cut', { timeout: 60_000 }, async () => {
  const calls = { count: 0 };
  const counted = emptyDisk();
  await runInSteps(dying(counted, Number.POSITIVE_INFINITY, calls));
  for (let call = 1; call <= calls.count; call += 1) {
    const files = emptyDisk();
    const acknowledged = await runInSteps(dying(files, call, { count: 0 }));
    const survivor = await openInSteps(files);
    const from = await heldTransactions(survivor, `died at call ${call}`);
    assert.ok(from >= acknowledged, `died at call ${call}`);
    assert.equal(await write(survivor, from + 1, from + 6), from + 6);
    await survivor.close();
    assert.equal(await heldTransactions(await openInSteps(files.restart('nothing')), `died at call ${call}, then power cut`), from + 6);
  }
});

test('a second power cut while the first is recovered from loses nothing either', { timeout: 60_000 }, async () => {
  const steps = await stepsOf(run);
  for (let step = 1; step <= steps.length; step += stride(3)) {
    for (const again of [1, 2, 3, 5, 8]) {
      const files = emptyDisk();
      files.cutAt(files.steps() + step);
      const acknowledged = await run(files);
      const restarted = files.restart('half');
      restarted.cutAt(again);
      const more = await goOn(restarted);
      const about = `cut at ${steps[step - 1]}, then at ${again}`;
      const store = await open(restarted.restart('zeros'));
      assert.ok(await heldTransactions(store, about) >= Math.max(acknowledged, more), about);
      await store.close();
    }
  }
});

test('a process that dies at any step leaves nothing that the next one could build on and lose in a power cut', { timeout: 60_000 }, async () => {
  const calls = { count: 0 };
  const counted = emptyDisk();
  await (await open(counted)).close();
  await run(dying(counted, Number.POSITIVE_INFINITY, calls));
  for (let call = 1; call <= calls.count; call += stride(3)) {
    for (const leftover of leftovers) {
      const files = emptyDisk();
      await (await open(files)).close();
      const acknowledged = await run(dying(files, call, { count: 0 }));
      const survivor = await open(files);
      const from = await heldTransactions(survivor, `died at call ${call}`);
      const more = await write(survivor, from + 1, from + 2);
      assert.equal(more, from + 2);
      const store = await open(files.restart(leftover));
      const about = `died at call ${call}, then power cut, ${leftover} left`;
      assert.ok(from >= acknowledged, about);
      assert.equal(await heldTransactions(store, about), more, about);
    }
  }
});

test('a call that fails at any step fails its transaction, which did not happen, or is survived', { timeout: 60_000 }, async () => {
  const steps = await stepsOf(async (files) => { await (await open(files)).close(); await run(files); });
  const opening = await stepsOf(async (files) => { await (await open(files)).close(); });
  for (let step = opening.length + 1; step <= steps.length; step += stride(3)) {
    for (const [code, partial] of [['ENOSPC', 0], ['ENOSPC', 40], ['EIO', 1000]] as const) {
      const files = emptyDisk();
      const about = `${code} at ${steps[step - 1]}`;
      files.failAt(files.steps() + step, code, partial);
      const acknowledged = await run(files);
      const same = await open(files);
      const held = await heldTransactions(same, about);
      assert.equal(held, acknowledged, about);
      assert.equal(await write(same, held + 1, held + 2), held + 2, about);
      const store = await open(files.restart('nothing'));
      assert.equal(await heldTransactions(store, about), held + 2, about);
    }
  }
});

test('a store whose append failed goes on in the same process once the disk works again', async () => {
  for (const [what, code] of [['write', 'ENOSPC'], ['sync', 'EIO']] as const) {
    const files = emptyDisk();
    const store = await open(files);
    await write(store, 1, 2);
    const next = files.steps() + (what === 'write' ? 1 : 2);
    files.failAt(next, code);
    await assert.rejects(store.transact([], [{ key: 'lost', value: 1 }]), { code: 'io.failed' }, what);
    assert.equal(await store.get('lost'), undefined, what);
    assert.equal(await write(store, 3, 5), 5, what);
    assert.equal(await heldTransactions(await open(files.restart('nothing')), what), 5, what);
  }
});

test('what a power cut left of a line is kept aside, byte for byte, and reported', async () => {
  const files = emptyDisk();
  const first = await open(files);
  await write(first, 1, 2);
  files.cutAt(files.steps() + 2);
  await assert.rejects(first.transact([], [{ key: 'torn', value: text }]));
  for (const leftover of ['half', 'zeros'] as const) {
    const restarted = files.restart(leftover);
    const troubles: StoreTrouble[] = [];
    const store = await open(restarted, (trouble) => troubles.push(trouble));
    await write(store, 3, 3);
    const [trouble] = troubles;
    assert.ok(trouble?.kind === 'torn' && troubles.length === 1, leftover);
    const kept = faultDisk(restarted).read(trouble.tail.keptAs, 10_000);
    assert.equal(kept?.length, trouble.tail.length, leftover);
    assert.match(trouble.tail.keptAs, /^\/home\/dashboard\/torn\/journal-1\.jsonl\.torn-/);
    assert.equal(kept?.includes(0), leftover === 'zeros');
  }
});

async function goOn(files: FaultFiles): Promise<number> {
  try {
    const store = await open(files);
    const held = await store.revision();
    return await write(store, held + 1, held + 2);
  } catch {
    return 0;
  }
}

const changing = new Set<string | symbol>(['open', 'write', 'truncate', 'sync', 'makeDirectory', 'rename', 'link', 'unlink', 'chmod', 'syncDirectory']);

/** The files as a process sees them that is killed before its changing call number `last`; the machine lives on. */
function dying(files: FaultFiles, last: number, calls: { count: number }): Files {
  return new Proxy<Files>(files, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...given: readonly unknown[]): unknown => {
        if (changing.has(name)) calls.count += 1;
        if (calls.count >= last) throw new Error('killed');
        return Reflect.apply(value, target, given);
      };
    },
  });
}
