/** The writer where log files were compressed behind its back: the chain goes on, in a file of its own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { compressSealed } from '../../lib/audit/keeping/compress.ts';
import type { Kept } from '../../lib/audit/keeping/finished.ts';
import { sealFinished } from '../../lib/audit/keeping/sealing.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../support/fault-files.ts';
import { directory, home, logOn } from './support.ts';

const event = (n: number): AuditEvent => ({ event: 'policy.allow', actor: 'user:alice', details: { n } });
const day = 24 * 3600_000;
const today = 'audit-2026-02-15.jsonl';

function fresh(): { readonly files: FaultFiles; readonly disk: Disk } {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  return { files, disk: faultDisk(files) };
}

const bytesOf = (disk: Disk, name: string): Buffer => Buffer.from(disk.read(`${directory}/${name}`, 1e9) ?? []);

function put(files: FaultFiles, path: string, bytes: Uint8Array): void {
  files.write(files.open(path, 'create-append'), bytes);
}

/** What `gzip` does to a file. */
function gzip(files: FaultFiles, disk: Disk, name: string, change: (bytes: Buffer) => Uint8Array = (bytes) => bytes): void {
  put(files, `${directory}/${name}.gz`, change(gzipSync(bytesOf(disk, name))));
  disk.remove(`${directory}/${name}`);
}

interface Line { readonly seq: number; readonly event: string; readonly details: { readonly n?: number; readonly reason?: string; readonly previous_file?: string | null; readonly previous_hash?: string }; readonly chain_hash: string }

function linesOf(disk: Disk, name: string): readonly Line[] {
  const bytes = bytesOf(disk, name);
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n').filter(Boolean).map((line): Line => JSON.parse(line));
}

/** Every entry's number and event number, over the files named. */
function assertOneChain(disk: Disk, names: readonly string[], numbers: readonly number[]): void {
  const lines = names.flatMap((name) => linesOf(disk, name));
  assert.deepEqual(lines.map(({ seq }) => seq), lines.map((_, at) => at + 1));
  assert.deepEqual(lines.flatMap(({ details: { n } }) => (n === undefined ? [] : [n])), numbers);
  lines.forEach(({ event: name, details }, at) => { if (name === 'audit.open' && at > 0) assert.equal(details.previous_hash, lines[at - 1]?.chain_hash); });
}

test('the newest file was compressed by hand: a cold writer and one that had it open go on in the next part', async () => {
  const { files, disk } = fresh();
  const warm = logOn(disk);
  await warm.append(event(1));
  gzip(files, disk, today);
  await logOn(disk).append(event(2));
  await warm.append(event(3));
  assert.deepEqual(disk.list(directory), ['audit-2026-02-15.1.jsonl', `${today}.gz`]);
  const [open] = linesOf(disk, 'audit-2026-02-15.1.jsonl');
  assert.deepEqual([open?.details.reason, open?.details.previous_file], ['compressed', today]);
  assertOneChain(disk, [`${today}.gz`, 'audit-2026-02-15.1.jsonl'], [1, 2, 3]);
});

test('the process that had it open is the first to notice, and nothing is said to be lost', async () => {
  const { files, disk } = fresh();
  const warm = logOn(disk);
  await warm.append(event(1));
  gzip(files, disk, today);
  await warm.append(event(2));
  assert.equal(linesOf(disk, 'audit-2026-02-15.1.jsonl')[0]?.details.reason, 'compressed');
  assertOneChain(disk, [`${today}.gz`, 'audit-2026-02-15.1.jsonl'], [1, 2]);
});

test('everything but compressed files is gone, and it is another day: the chain goes on under the day\'s own name', async () => {
  const { files, disk } = fresh();
  const clock = createTestClock();
  await logOn(disk, { clock }).append(event(1));
  clock.advance(day);
  await logOn(disk, { clock }).append(event(2));
  for (const name of disk.list(directory)) gzip(files, disk, name);
  clock.advance(day);
  await logOn(disk, { clock }).append(event(3));
  assertOneChain(disk, [`${today}.gz`, 'audit-2026-02-16.jsonl.gz', 'audit-2026-02-17.jsonl'], [1, 2, 3]);
});

test('a copy compressed beside the newest file changes nothing', async () => {
  const { files, disk } = fresh();
  const log = logOn(disk);
  await log.append(event(1));
  put(files, `${directory}/${today}.gz`, gzipSync(bytesOf(disk, today)));
  await log.append(event(2));
  await logOn(disk).append(event(3));
  assertOneChain(disk, [today], [1, 2, 3]);
});

test('compressed files that hold nothing are passed over', async () => {
  const { files, disk } = fresh();
  await logOn(disk).append(event(1));
  put(files, `${directory}/audit-2026-02-15.1.jsonl.gz`, gzipSync(''));
  put(files, `${directory}/audit-2026-02-15.2.jsonl.gz`, new Uint8Array());
  await logOn(disk).append(event(2));
  assertOneChain(disk, [today], [1, 2]);
});

test('a compressed file that cannot be read keeps nobody from recording, and is named', async () => {
  const { files, disk } = fresh();
  await logOn(disk).append(event(1));
  gzip(files, disk, today, (bytes) => bytes.subarray(0, bytes.length - 9));
  await logOn(disk).append(event(2));
  const [open] = linesOf(disk, 'audit-2026-02-15.1.jsonl');
  assert.deepEqual([open?.details.reason, open?.details.previous_file], ['damaged', today]);
  assert.equal(bytesOf(disk, `${today}.gz`).length > 0, true);
});

test('compressed files of another format move aside with the plain ones', async () => {
  const { files, disk } = fresh();
  disk.ensureDirectory(home, directory, 0o700);
  const foreign = Buffer.from('{"timestamp":"2026-02-12T00:00:00Z","event":"session.start"}\n');
  put(files, `${directory}/audit-2026-02-12.jsonl.gz`, gzipSync(foreign));
  put(files, `${directory}/audit-2026-02-13.jsonl`, foreign);
  await logOn(disk).append(event(1));
  assert.deepEqual(disk.list('/home/dashboard/legacy'), ['audit-2026-02-12.jsonl.gz', 'audit-2026-02-13.jsonl']);
  assertOneChain(disk, [today], [1]);
});

test('clocks back and forth over midnight while files are sealed and compressed: one chain', async () => {
  const { disk } = fresh();
  const clock = createTestClock(Date.UTC(2026, 1, 15, 23, 59, 50));
  const log = logOn(disk, { clock });
  const kept: Kept = {
    disk, clock, timers: realTimers, base: home, directory, tlogDirectory: '/home/dashboard/tlog', blobDirectory: '/home/dashboard/blobs',
    fileMode: 0o600, directoryMode: 0o700, record: (entry) => log.append(entry),
  };
  const numbers: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    numbers.push(n);
    await log.append(event(n));
    clock.set(clock.now() + (n % 3 === 1 ? -20_000 : n === 8 ? day : 15_000));
    assert.deepEqual((await sealFinished(kept)).problems, []);
    assert.deepEqual((await compressSealed(kept)).problems, []);
  }
  const names = disk.list(directory);
  assert.deepEqual(names, [`${today}.gz`, 'audit-2026-02-16.jsonl.gz', 'audit-2026-02-17.jsonl']);
  assertOneChain(disk, names, numbers);
});
