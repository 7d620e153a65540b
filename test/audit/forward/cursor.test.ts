/** What is kept of how far a receiver has got, over power cuts, full disks and damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseState, readState, writeState, type ReceiverState } from '../../../lib/audit/forward/cursor.ts';
import { forwardPass, type ForwarderOptions } from '../../../lib/audit/forward/forwarder.ts';
import type { Receiver } from '../../../lib/audit/forward/receiver.ts';
import { createDisk } from '../../../lib/host/durable.ts';
import type { Disk } from '../../../lib/ports.ts';
import { createTestClock, createTestLock, createTestRandom, realTimers } from '../../support/fakes.ts';
import { createFaultFiles, leftovers, type FaultFiles } from '../../support/fault-files.ts';
import { directory, home, logOn } from '../support.ts';
import { soon } from './support.ts';

const path = `${home}/spool/siem-test.json`;

function diskOf(files: FaultFiles): Disk {
  let count = 0;
  return createDisk(files, { owner: undefined, uniqueName: () => `t${count += 1}` });
}

/** A receiver that remembers what it took. */
function remembering(taken: number[]): Receiver {
  return {
    id: 'test', name: 'test', confirms: true, close: () => undefined, settle: () => Promise.resolve({ kind: 'taken', refused: [] }),
    send(batch) {
      taken.push(...batch.map(({ seq }) => seq));
      return Promise.resolve({ kind: 'taken', refused: [] });
    },
  };
}

function optionsOn(disk: Disk, receiver: Receiver): ForwarderOptions {
  const clock = createTestClock();
  return {
    receiver, disk, clock, timers: realTimers, random: createTestRandom(), lock: createTestLock(), directory, state: { disk, base: home, path }, hostname: 'here', record: () => Promise.resolve(),
  };
}

async function logged(files: FaultFiles): Promise<void> {
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  const log = logOn(diskOf(files));
  for (let at = 0; at < 5; at += 1) await log.append({ event: 'policy.allow', actor: 'agent:a', details: { at } });
  await log.close();
}

/** Steps that change the disk in a pass over a fresh log. */
async function stepsOfPass(): Promise<readonly [first: number, last: number]> {
  const files = createFaultFiles();
  await logged(files);
  const before = files.steps();
  await forwardPass(optionsOn(diskOf(files), remembering([])), soon);
  return [before + 1, files.steps()];
}

const all = [1, 2, 3, 4, 5, 6];

test('a power cut at any step of a pass loses no entry', async () => {
  const [first, last] = await stepsOfPass();
  assert.ok(last - first >= 5, `${first} to ${last}`);
  for (let step = first; step <= last; step += 1) {
    for (const leftover of leftovers) {
      const files = createFaultFiles();
      await logged(files);
      files.cutAt(step);
      const taken: number[] = [];
      await forwardPass(optionsOn(diskOf(files), remembering(taken)), soon).catch(() => undefined);
      const after = files.restart(leftover);
      assert.equal((await forwardPass(optionsOn(diskOf(after), remembering(taken)), soon)).done, true);
      assert.deepEqual([...new Set(taken)].sort(), all, `step ${step}, ${leftover}`);
      const found = readState({ disk: diskOf(after), base: home, path });
      assert.ok(found.kind === 'known' && found.state.position.seq === 6, `step ${step}, ${leftover}`);
    }
  }
});

test('a full disk stops no entry, and costs repetition at most', async () => {
  const [first, last] = await stepsOfPass();
  for (let step = first; step <= last; step += 1) {
    const files = createFaultFiles();
    await logged(files);
    files.failAt(step, 'ENOSPC');
    const taken: number[] = [];
    await forwardPass(optionsOn(diskOf(files), remembering(taken)), soon);
    assert.deepEqual(taken, all, `step ${step}`);
    await forwardPass(optionsOn(diskOf(files), remembering(taken)), soon);
    assert.ok(taken.length <= 2 * all.length);
  }
});

test('a state comes back as it was written, and nothing else is taken for one', async () => {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const place = { disk: diskOf(files), base: home, path };
  assert.deepEqual(readState(place), { kind: 'new' });
  const state: ReceiverState = {
    position: { seq: 7, file: 'audit-2026-02-15.3.jsonl', offset: 900, hash: 'a'.repeat(64) }, reported: 5, refused: 2,
    trouble: { since: 1, attempts: 2, message: 'away "\n', permanent: true, told: true, nextTry: 9 },
  };
  for (const each of [state, { ...state, trouble: undefined }, { ...state, position: { seq: 0, file: null, offset: 0, hash: null } }]) {
    writeState(place, 'syslog tcp://host:514', each);
    assert.deepEqual(readState(place), { kind: 'known', state: each });
  }
  const good: Record<string, unknown> = JSON.parse(Buffer.from(place.disk.read(path, 9999) ?? []).toString('utf8'));
  const bad: readonly object[] = [
    { seq: -1 }, { seq: '7' }, { seq: 1.5 }, { offset: null }, { hash: 'A'.repeat(64) }, { hash: 7 }, { file: '../../etc/passwd' }, { file: 'audit-2026-02-15.jsonl.gz' }, { reported: undefined }, { refused: 'x' },
    { trouble: undefined }, { trouble: {} }, { trouble: { ...state.trouble, nextTry: 'soon' } }, { trouble: [] },
  ];
  assert.notEqual(parseState(JSON.stringify(good)), undefined);
  for (const change of bad) assert.equal(parseState(JSON.stringify({ ...good, ...change })), undefined, JSON.stringify(change));
  for (const text of ['', 'null', '[]', '7', '{"seq":7']) assert.equal(parseState(text), undefined, text);
  place.disk.replace(home, path, Buffer.alloc(5000, ' '), 0o600);
  assert.deepEqual(readState(place), { kind: 'damaged' });
});
