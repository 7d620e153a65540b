/** `integrity_check` off and on again: a switch begins a new file that says so, and the chain goes on where it was left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { logFiles } from '../../lib/audit/files.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../support/fault-files.ts';
import { afterEachCut } from '../support/power-cuts.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';

const first = 'audit-2026-02-15.jsonl';
const zeros = '0'.repeat(64);
const event = (n: number): AuditEvent => ({ event: 'policy.allow', actor: 'agent:a', details: { n } });

function freshFiles(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

interface Entry { readonly seq: number; readonly event: string; readonly chain_hash?: string; readonly details: { readonly reason?: string; readonly integrity?: string; readonly previous_hash?: string; readonly first_seq?: number; readonly n?: number } }

/** The log's files in its order, which is not that of their text. */
function namesOn(disk: Disk): readonly string[] {
  return logFiles(disk.list(directory)).map(({ name }) => name);
}

function entriesIn(disk: Disk, name: string): readonly Entry[] {
  return linesIn(disk, name).map((line): Entry => JSON.parse(line));
}

test('off from the beginning: entries without hashes, numbered all the same, by many writers', async () => {
  const disk = faultDisk(freshFiles());
  const [one, two] = [logOn(disk, { integrity: false }), logOn(disk, { integrity: false })];
  assert.deepEqual(await one.append(event(1)), { seq: 2, chain_hash: null });
  assert.equal((await two.append(event(2))).seq, 3);
  assert.equal((await one.append(event(3))).seq, 4);
  assert.equal((await logOn(disk, { integrity: false }).append(event(4))).seq, 5);
  assert.deepEqual(disk.list(directory), [first]);
  const entries = entriesIn(disk, first);
  assert.deepEqual(entries.map(({ seq, chain_hash }) => [seq, chain_hash]), [1, 2, 3, 4, 5].map((seq) => [seq, undefined]));
  assert.deepEqual([entries[0]?.details.reason, entries[0]?.details.integrity, entries[0]?.details.previous_hash], ['first', 'off', zeros]);
  assert.equal((await verifyOn(disk)).verdict, 'no_integrity');
});

test('a switch in mid-log begins a new file that says so; on again, the chain goes on from its last hash', async () => {
  const disk = faultDisk(freshFiles());
  const hash = (await logOn(disk).append(event(1))).chain_hash;
  const off = logOn(disk, { integrity: false, maxFileBytes: 700 });
  for (const n of [2, 3, 4, 5]) await off.append(event(n));
  assert.notEqual((await logOn(disk).append(event(6))).chain_hash, null);
  const names = namesOn(disk);
  const openings = names.map((name) => entriesIn(disk, name)[0]);
  assert.deepEqual(openings.map((open) => [open?.details.reason, open?.details.integrity]), [['first', undefined], ['integrity', 'off'], ['size', 'off'], ['integrity', 'on']]);
  assert.deepEqual(openings.slice(1).map((open) => open?.details.previous_hash), [hash, hash, hash], 'the last hash is handed on');
  const all = names.flatMap((name) => entriesIn(disk, name));
  assert.deepEqual(all.map(({ seq }) => seq), all.map((_, at) => at + 1));
  const chained = names.flatMap((name) => linesIn(disk, name)).filter((line) => line.includes('"chain_hash"'));
  const bare = chained.filter((line) => line.includes('"seq":1,') || line.includes('"integrity":"on"') || line.includes('"n":1}') || line.includes('"n":6}'));
  assert.equal(bare.length, 4);
  assert.notEqual((await verifyOn(disk)).verdict, 'ok', 'a stretch without hashes is said');
});

test('a torn tail in a file without hashes is set aside, zeros too', async () => {
  for (const tail of [Buffer.from('{"seq":4,"time'), Buffer.alloc(500), Buffer.concat([Buffer.alloc(300), Buffer.from('}\n')])]) {
    const files = freshFiles();
    const disk = faultDisk(files);
    for (const n of [1, 2]) await logOn(disk, { integrity: false }).append(event(n));
    files.write(files.open(`${directory}/${first}`, 'append'), tail);
    assert.equal((await logOn(disk, { integrity: false }).append(event(3))).seq, 5);
    assert.deepEqual(entriesIn(disk, first).map(({ seq, event: name }) => `${seq} ${name}`), ['1 audit.open', '2 policy.allow', '3 policy.allow', '4 audit.recovery', '5 policy.allow']);
  }
});

test('a line that was put into a file without hashes and is none of ours is not written on', async () => {
  const files = freshFiles();
  const disk = faultDisk(files);
  await logOn(disk, { integrity: false }).append(event(1));
  files.write(files.open(`${directory}/${first}`, 'append'), Buffer.from('an agent was here\n'));
  assert.equal((await logOn(disk, { integrity: false }).append(event(2))).seq, 4);
  assert.equal(entriesIn(disk, 'audit-2026-02-15.1.jsonl')[0]?.details.reason, 'damaged');
});

test('a hash taken off the last line does not make a chained file one without hashes', async () => {
  const disk = faultDisk(freshFiles());
  const log = logOn(disk);
  for (const n of [1, 2]) await log.append(event(n));
  const lines = linesIn(disk, first);
  const stripped = lines.map((line, at) => (at === 2 ? `${line.slice(0, -81)}}` : line)).join('\n');
  disk.replace(home, `${directory}/${first}`, Buffer.from(`${stripped}\n`), 0o600);
  for (const integrity of [true, false]) {
    await logOn(disk, { integrity }).append(event(3));
    const newest = namesOn(disk).at(-1) ?? '';
    assert.match(entriesIn(disk, newest)[0]?.details.reason ?? '', integrity ? /^damaged$/ : /^integrity$/);
  }
});

test('power cut at every step of switching off and on: numbers go on, what was acknowledged is there', async () => {
  async function story(files: FaultFiles, done: number[]): Promise<void> {
    const disk = faultDisk(files);
    for (const [n, integrity] of [[1, true], [2, false], [3, false], [4, true]] as const) {
      await logOn(disk, { integrity }).append(event(n));
      done.push(n);
    }
  }
  await afterEachCut(story, async (files, done, where) => {
    const disk = faultDisk(files);
    for (const integrity of [false, true]) await logOn(disk, { integrity, clock: createTestClock(Date.UTC(2026, 1, 15, 15)) }).append(event(9));
    const entries = namesOn(disk).flatMap((name) => entriesIn(disk, name));
    assert.deepEqual(entries.map(({ seq }) => seq), entries.map((_, at) => at + 1), where);
    for (const n of done) assert.ok(entries.some(({ details }) => details.n === n), `${where}: ${n} is gone`);
    assert.ok(!['tampered', 'incomplete'].includes((await verifyOn(disk)).verdict), where);
  }, { fresh: freshFiles, firstStep: 3 });
});
