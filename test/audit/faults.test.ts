import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { createGroupCommit } from '../../lib/journal/group-commit.ts';
import { pieces } from '../../lib/journal/lines.ts';
import { LokiError } from '../../lib/errors.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { Disk, Files, Lock } from '../../lib/ports.ts';
import { endOf, startChild } from '../support/child.ts';
import { createTestClock, createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../support/fault-files.ts';
import { logFiles } from '../../lib/audit/files.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';
import { stride } from '../support/long.ts';

const event = (n: number): AuditEvent => ({ event: 'policy.allow', actor: 'user:alice', details: { n } });
const day = 24 * 3600_000;
const first = 'audit-2026-02-15.jsonl';

function freshDisk(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

/** The numbers of the events on disk, in the order of the chain. */
function numbersOn(disk: Disk): readonly number[] {
  const entries = disk.list(directory).flatMap((name) => linesIn(disk, name)).map((line) => JSON.parse(line));
  return entries.toSorted((a, b) => a.seq - b.seq).filter((entry) => entry.event === 'policy.allow').map((entry) => entry.details.n);
}

async function assertOk(disk: Disk, numbers: readonly number[], where = ''): Promise<void> {
  const report = await verifyOn(disk);
  assert.equal(report.verdict, 'ok', `${where} ${JSON.stringify(report.breaks)}`);
  assert.deepEqual(numbersOn(disk), numbers, where);
}

test('a writer whose clock is behind midnight does not fork the chain in yesterday\'s file', async () => {
  const disk = faultDisk(freshDisk());
  const behind = logOn(disk);
  const ahead = logOn(disk, { clock: createTestClock(Date.UTC(2026, 1, 16, 0, 0, 1)) });
  await behind.append(event(1));
  await ahead.append(event(2));
  await behind.append(event(3));
  await ahead.append(event(4));
  await assertOk(disk, [1, 2, 3, 4]);
  assert.deepEqual(disk.list(directory), [first, 'audit-2026-02-16.jsonl']);
});

test('a writer with a larger limit follows another one to the next part', async () => {
  const disk = faultDisk(freshDisk());
  const [large, small] = [logOn(disk), logOn(disk, { maxFileBytes: 300 })];
  for (let n = 1; n <= 9; n += 1) await (n % 3 === 0 ? small : large).append(event(n));
  await assertOk(disk, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a writer follows one that found damage which it did not see itself', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const warm = logOn(disk);
  await warm.append(event(1));
  await warm.append(event(2));
  const path = `${directory}/${first}`;
  const text = Buffer.from(disk.read(path, 1e6) ?? []).toString().replace('"n":1', '"n":7');
  const handle = files.open(path, 'append');
  files.truncate(handle, 0);
  files.write(handle, Buffer.from(text));
  await logOn(disk).append(event(3));
  await warm.append(event(4));
  const report = await verifyOn(disk);
  assert.deepEqual(report.breaks.map(({ cause, seq }) => [cause, seq]), [['edited', 2]]);
  assert.equal(report.last_seq, 6);
});

test('a new file whose first sectors never reached the disk is set aside, and the chain goes on from the file before', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const clock = createTestClock();
  await logOn(disk, { clock }).append(event(1));
  const before = disk.read(`${directory}/${first}`, 1e6)?.length;
  clock.advance(day);
  await logOn(disk, { clock }).append(event(2));
  const path = `${directory}/audit-2026-02-16.jsonl`;
  const bytes = Buffer.from(disk.read(path, 1e6) ?? []);
  bytes.fill(0, 0, bytes.length - 150);
  const handle = files.open(path, 'append');
  files.truncate(handle, 0);
  files.write(handle, bytes);
  await logOn(disk, { clock }).append(event(3));
  await assertOk(disk, [1, 3]);
  assert.equal(disk.read(`${directory}/${first}`, 1e6)?.length, before);
});

test('a tail of zeros as long as the largest batch is set aside', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  await logOn(disk).append(event(1));
  files.write(files.open(`${directory}/${first}`, 'append'), new Uint8Array(200_000));
  await logOn(disk).append(event(2));
  await assertOk(disk, [1, 2]);
});

test('no batch is longer than what recovery looks at, whatever alphabet it is written in', async () => {
  const files = freshDisk();
  const log = logOn(faultDisk(files));
  await Promise.all(Array.from({ length: 60 }, (_, n) => log.append({ ...event(n), details: { n, text: '\u6c34'.repeat(9000) } })));
  const writes = files.log().map((line) => Number(/ write (\d+)$/.exec(line)?.[1] ?? 0));
  assert.ok(Math.max(...writes) <= 256 * 1024 - 65_536, String(Math.max(...writes)));
  assert.ok(Math.max(...writes) > 65_536);
});

test('an entry is at most 65,535 bytes in any alphabet, lone surrogates and __proto__ included', async () => {
  const disk = faultDisk(freshDisk());
  // Short files: the disk in memory copies a file with each write.
  const log = logOn(disk, { maxFileBytes: 500_000 });
  const proto: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":"x"}');
  assert.ok(typeof proto === 'object' && proto !== null);
  await log.append({ event: 'policy.allow', actor: 'user:a', details: { ...proto, n: 0, lone: '\ud800' } });
  for (let length = 65_050; length < 65_300; length += 1) await log.append({ event: 'policy.allow', actor: 'user:a', details: { n: length, text: 'x'.repeat(length) } });
  await log.append({ event: 'policy.allow', actor: 'user:a', details: { n: 1, text: '\u{1f4a7}'.repeat(20_000) } });
  const lines = logFiles(disk.list(directory)).flatMap(({ name }) => linesIn(disk, name));
  const longest = Math.max(...lines.map((line) => Buffer.byteLength(line)));
  assert.equal(longest, 65_535);
  assert.match(lines[1] ?? '', /"details":\{"__proto__":\{"a":1\},"constructor":"x","n":0,"lone":"\\ud800"\}/);
  assert.match(lines.at(-1) ?? '', /"details":\{"blob":\{/);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('an event that cannot become a line is refused alone, not with its batch', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk);
  const loop: Record<string, never> = {};
  Object.assign(loop, { loop });
  const results = await Promise.allSettled([
    log.append(event(1)),
    log.append({ ...event(2), resource: `file:${'r'.repeat(70_000)}` }),
    log.append({ ...event(3), metadata: loop }),
    log.append({ ...event(4), details: loop }),
    log.append(event(5)),
  ]);
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled']);
  assert.match(String(Reflect.get(results[1] ?? {}, 'reason')), /Cannot record policy.allow: .*actor, resource and metadata take 70\d\d\d bytes; at most 8192 are recorded/);
  await assertOk(disk, [1, 5]);
});

test('metadata of the configuration that leaves no room is refused before it makes a line that is too long', async () => {
  const disk = faultDisk(freshDisk());
  await assert.rejects(logOn(disk, { metadata: { note: 'm'.repeat(70_000) } }).append(event(1)), /without its details; an entry has at most 65536/);
});

/** Batches, a torn tail, a size split, a new day, a blob. Gives the numbers that were acknowledged; those refused are tried no more. */
async function story(files: FaultFiles): Promise<readonly number[]> {
  const disk = faultDisk(files);
  const clock = createTestClock();
  const log = logOn(disk, { clock, maxFileBytes: 1500 });
  const done: number[] = [];
  const append = async (n: number, pad = 0): Promise<void> => {
    try {
      await log.append({ ...event(n), details: { n, ...(pad === 0 ? {} : { pad: 'p'.repeat(pad) }) } });
      done.push(n);
    } catch (error) {
      assert.ok(error instanceof LokiError && error.code === 'audit.unwritable', String(error));
    }
  };
  await append(1);
  await Promise.all([append(2), append(3)]);
  if (disk.stat(`${directory}/${first}`) !== undefined) files.write(files.open(`${directory}/${first}`, 'append'), Buffer.from('{"seq":9'));
  await append(4, 900);
  await append(5);
  clock.advance(day);
  await Promise.all([append(6), append(7)]);
  await append(8);
  return done;
}

test('any one call that fails: what was acknowledged is there, what was refused is not, and the log goes on', async () => {
  const files = freshDisk();
  await story(files);
  const total = files.steps();
  for (const [code, partial] of [['ENOSPC', 0], ['ENOSPC', 7], ['EIO', 0]] as const) {
    for (let step = 3; step <= total; step += stride(3)) {
      const failing = freshDisk();
      failing.failAt(step, code, partial);
      const done = await story(failing).catch((error: unknown) => {
        // The test's own torn tail met the failure.
        assert.match(String(error), /write|truncate/);
        return undefined;
      });
      if (done === undefined) continue;
      const disk = faultDisk(failing);
      await logOn(disk, { clock: createTestClock(Date.UTC(2026, 1, 16, 15)) }).append(event(99));
      await assertOk(disk, [...done, 99], `${code} ${partial} at step ${step} (${failing.log()[step - 1]})`);
      assert.ok(done.length >= 5, `step ${step}`);
    }
  }
});

test('a log that went away is not begun anew because the first try to say so failed', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const log = logOn(disk);
  await log.append(event(1));
  disk.remove(`${directory}/${first}`);
  files.failAt(files.steps() + 3, 'ENOSPC');
  await assert.rejects(log.append(event(2)), /ENOSPC/);
  assert.equal((await log.append(event(3))).seq, 4);
  const { details, seq } = JSON.parse(linesIn(disk, first)[0] ?? '');
  assert.deepEqual([seq, details.reason, details.lost_file, details.found], [3, 'replaced', first, 'missing']);
  assert.equal((await verifyOn(disk)).verdict, 'incomplete');
});

test('a file that was replaced by a damaged one is not written on', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk);
  await log.append(event(1));
  await log.append(event(2));
  const text = Buffer.from(disk.read(`${directory}/${first}`, 1e6) ?? []).toString().replace('"n":1', '"n":7');
  disk.replace(home, `${directory}/${first}`, Buffer.from(text), 0o600);
  await log.append(event(3));
  assert.equal(Buffer.from(disk.read(`${directory}/${first}`, 1e6) ?? []).toString(), text);
  assert.equal(JSON.parse(linesIn(disk, 'audit-2026-02-15.1.jsonl')[0] ?? '').details.reason, 'replaced');
});

test('entries of a writer that died before its sync are durable before the next file builds on them', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const clock = createTestClock();
  await logOn(disk, { clock }).append(event(1));
  let dead = false;
  const dying: Files = {
    ...files,
    sync(handle) { if (dead) throw new Error('killed'); files.sync(handle); },
    write(handle, bytes) { dead = true; return files.write(handle, bytes); },
    truncate() { throw new Error('killed'); },
    link() { throw new Error('killed'); },
  };
  await assert.rejects(logOn(faultDisk(dying), { clock }).append(event(2)));
  clock.advance(day);
  await logOn(disk, { clock }).append(event(3));
  await assertOk(faultDisk(files.restart('nothing')), [1, 2, 3]);
});

test('an empty file does not decide where the chain goes on, whatever day its name has', async () => {
  for (const name of ['audit-2026-02-16.jsonl', 'audit-2999-01-01.jsonl', 'audit-2026-02-15.1.jsonl']) {
    const disk = faultDisk(freshDisk());
    await logOn(disk, { maxFileBytes: 600 }).append(event(1));
    disk.create(home, `${directory}/${name}`, new Uint8Array(), 0o600);
    for (const n of [2, 3, 4]) await logOn(disk, { maxFileBytes: 600 }).append(event(n));
    await assertOk(disk, [1, 2, 3, 4], name);
    assert.match(linesIn(disk, first).at(-1) ?? '', /"timestamp":"2026-02-15T14:30:00.000Z"/);
  }
});

test('files of another format that were moved are recorded even when the first try to say so failed', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  disk.ensureDirectory(home, directory, 0o700);
  disk.create(home, `${directory}/audit-2026-02-14.jsonl`, Buffer.from('{"timestamp":"x"}\n'), 0o600);
  const log = logOn(disk);
  const dying: Files = { ...files, write() { throw Object.assign(new Error('full'), { code: 'ENOSPC' }); } };
  await assert.rejects(logOn(faultDisk(dying)).append(event(1)), /full/);
  await log.append(event(2));
  const { details } = JSON.parse(linesIn(disk, first)[0] ?? '');
  assert.deepEqual(details.legacy_files.map(({ name }: { name: string }) => name), ['audit-2026-02-14.jsonl']);
});

test('verification of swapped, copied, empty and single files', async () => {
  const make = async (): Promise<Disk> => {
    const disk = faultDisk(freshDisk());
    const clock = createTestClock();
    const log = logOn(disk, { clock });
    for (let n = 1; n <= 3; n += 1) { await log.append(event(n)); clock.advance(day); }
    return disk;
  };
  const put = (disk: Disk, name: string, bytes: Uint8Array): void => disk.replace(home, `${directory}/${name}`, bytes, 0o600);
  const get = (disk: Disk, name: string): Uint8Array => disk.read(`${directory}/${name}`, 1e6) ?? new Uint8Array();
  const second = 'audit-2026-02-16.jsonl';
  const cases: readonly [string, (disk: Disk) => void, verdict: string, causes: readonly string[]][] = [
    ['swapped', (disk) => { const [a, b] = [get(disk, first), get(disk, second)]; put(disk, first, b); put(disk, second, a); }, 'tampered', []],
    ['copied', (disk) => put(disk, 'audit-2026-02-18.jsonl', get(disk, 'audit-2026-02-17.jsonl')), 'tampered', ['wrong file']],
    ['copied as a part', (disk) => put(disk, 'audit-2026-02-15.1.jsonl', get(disk, first)), 'tampered', []],
    ['empty in between', (disk) => put(disk, 'audit-2026-02-15.1.jsonl', new Uint8Array()), 'ok', []],
    ['emptied', (disk) => put(disk, second, new Uint8Array()), 'tampered', ['deleted']],
    ['only an audit.open', (disk) => { for (const name of [second, 'audit-2026-02-17.jsonl']) disk.remove(`${directory}/${name}`); put(disk, first, Buffer.from(`${linesIn(disk, first)[0]}\n`)); }, 'ok', []],
    ['hashes taken out from one entry on', (disk) => put(disk, 'audit-2026-02-17.jsonl', Buffer.from(linesIn(disk, 'audit-2026-02-17.jsonl').map((line) => `${line.slice(0, -81)}}\n`).join(''))), 'tampered', ['edited', 'edited']],
    ['a hash taken out in the middle', (disk) => put(disk, second, Buffer.from(linesIn(disk, second).map((line, at) => (at === 0 ? `${line.slice(0, -81)}}\n` : `${line}\n`)).join(''))), 'tampered', ['edited', 'edited']],
    ['oldest entries cut off within a file', (disk) => put(disk, first, Buffer.from(`${linesIn(disk, first)[1]}\n`)), 'tampered', ['deleted']],
  ];
  for (const [name, change, verdict, causes] of cases) {
    const disk = await make();
    change(disk);
    const report = await verifyOn(disk);
    assert.equal(report.verdict, verdict, `${name}: ${JSON.stringify(report.breaks)}`);
    if (causes.length > 0) assert.deepEqual(report.breaks.map(({ cause }) => cause), causes, name);
  }
});

test('a log cannot begin with an entry whose details say what came before', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk);
  const { chain_hash } = await log.append(event(1));
  await log.append({ ...event(2), details: { previous_hash: chain_hash, n: 2 } });
  disk.replace(home, `${directory}/${first}`, Buffer.from(`${linesIn(disk, first)[2]}\n`), 0o600);
  assert.deepEqual((await verifyOn(disk)).breaks.map(({ cause, line }) => [cause, line]), [['deleted', 1]]);
});

test('verify opens one file at a time: a log may have more of them than a process may have open', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const log = logOn(disk, { maxFileBytes: 300 });
  for (let n = 0; n < 12; n += 1) await log.append(event(n));
  let [open, most] = [0, 0];
  const counted: Disk = {
    ...disk,
    openRead(path) {
      const file = disk.openRead(path);
      if (file === undefined) return undefined;
      open += 1;
      most = Math.max(most, open);
      return { ...file, close() { open -= 1; file.close(); } };
    },
  };
  const report = await verifyOn(counted);
  assert.deepEqual([report.verdict, report.files.length, most, open], ['ok', 12, 1, 0]);
});

test('a file that was cut while it is read ends there', () => {
  const bytes = Buffer.from('{"seq":1}\n{"seq":2');
  const cut = { read: (position: number, length: number) => bytes.subarray(position, position + length) };
  const found = [...pieces(cut, 0, 1 << 20)].map(({ offset, complete, bytes: part }) => [offset, complete, part.length]);
  assert.deepEqual(found, [[0, true, 10], [10, false, 8]]);
});

test('a line without an end is named, and read no further than the longest line there may be', async (t) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'loki-endless-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  writeFileSync(join(base, first), Buffer.alloc(20 * 1024 * 1024, 120));
  const { disk } = createHost(() => base);
  const report = await verifyOn(disk, base);
  assert.deepEqual(report.breaks, [{ file: first, line: 1, seq: null, offset: 0, cause: 'not an entry', found: '8388608 bytes without a line feed' }]);
  assert.equal(report.verdict, 'tampered');
});

test('verify says ok of a log that four processes are writing, at every moment', async (t) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'loki-live-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const children = Array.from({ length: 4 }, () => startChild('test/support/append-worker', [base, '400', '4']));
  let running = true;
  const ends = Promise.all(children.map((child) => endOf(child))).finally(() => { running = false; });
  const { disk } = createHost(() => base);
  let rounds = 0;
  while (running) {
    const report = await verifyOn(disk, join(base, 'dashboard/audit'));
    assert.equal(report.verdict, 'ok', JSON.stringify(report.breaks));
    rounds += 1;
    await realTimers.sleep(5);
  }
  for (const { exit, stderr } of await ends) assert.deepEqual([exit, stderr], [0, '']);
  assert.ok(rounds > 5);
  // All of them, and an opening for each file.
  const report = await verifyOn(disk, join(base, 'dashboard/audit'));
  assert.deepEqual([report.verdict, report.entries_checked - report.files.length], ['ok', 1600]);
});

/** A group commit on a clock that each batch moves on. */
function timed(lock: Lock, batchMs: number): { readonly add: (n: number) => Promise<number>; readonly slept: number[] } {
  const clock = createTestClock();
  const slept: number[] = [];
  const timers = { ...realTimers, sleep: (milliseconds: number): Promise<void> => { slept.push(milliseconds); return Promise.resolve(); } };
  const commits = createGroupCommit<number, number>({
    lock, clock, timers, lockTimeoutMs: 10, batchItems: 1, batchBytes: 100, weigh: () => 1,
    commit(items) { clock.advance(batchMs); return items; },
  });
  return { add: (n) => commits.add(n), slept };
}

test('while another waits, no batch is begun that would keep the lock for more than 5 ms, and it gets a pause to take it', async () => {
  let [taken, contended] = [0, true];
  const plain = createTestLock();
  const lock: Lock = { ...plain, contended: () => contended, acquire(ms) { taken += 1; return plain.acquire(ms); } };
  const { add, slept } = timed(lock, 2);
  await Promise.all(Array.from({ length: 6 }, (_, n) => add(n)));
  // Two batches of 2 ms; a third would end after 6.
  assert.equal(taken, 3);
  await realTimers.sleep(25);
  assert.deepEqual(slept, [1, 1, 1]);
  contended = false;
  await add(7);
  await realTimers.sleep(25);
  assert.equal(slept.length, 3);
});

test('a queue that grows without end is refused', async () => {
  const lock: Lock = { acquire: () => new Promise(() => undefined), contended: () => false, release: () => undefined };
  const { add } = timed(lock, 0);
  for (let n = 0; n < 65_536; n += 1) void add(n);
  await assert.rejects(add(0), (error: unknown) => error instanceof LokiError && error.code === 'rate_limited' && /65536 are waiting already/.test(error.message));
});
