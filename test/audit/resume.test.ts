/** Log files deleted, replaced, renamed or cut: noticed and recorded, and no number is given twice, by a fresh process either. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { AuditLog, AuditLogOptions } from '../../lib/audit/log.ts';
import { readResumePoint, type ResumePoint } from '../../lib/audit/resume.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';

const first = 'audit-2026-02-15.jsonl';
const day = 24 * 3600_000;
const statePath = '/home/dashboard/tlog/state.json';
const event = (n: number): AuditEvent => ({ event: 'policy.allow', actor: 'agent:a', details: { n } });

function freshDisk(): Disk {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return faultDisk(files);
}

function resuming(disk: Disk, changes: Partial<AuditLogOptions> = {}): AuditLog {
  return logOn(disk, { resume: () => readResumePoint(disk, home, statePath), ...changes });
}

/** What the integrator writes when it has taken everything in. */
function checkpoint(disk: Disk): void {
  const entries = disk.list(directory).flatMap((name) => linesIn(disk, name)).map((line) => JSON.parse(line)).toSorted((a, b) => a.seq - b.seq);
  const last = entries.at(-1);
  disk.ensureDirectory(home, '/home/dashboard/tlog', 0o700);
  disk.replace(home, statePath, Buffer.from(JSON.stringify({ size: last.seq, last_hash: last.chain_hash, last_time: last.timestamp, file: first, offset: 0 })), 0o600);
}

function openingIn(disk: Disk, name: string): { readonly seq: number; readonly details: JsonObject } {
  return JSON.parse(linesIn(disk, name)[0] ?? '{}');
}

async function begun(disk: Disk, count: number): Promise<string> {
  const log = resuming(disk);
  let hash = '';
  for (let n = 1; n <= count; n += 1) hash = (await log.append(event(n))).chain_hash ?? '';
  await log.close();
  return hash;
}

describe('a fresh process', () => {
  test('that finds every file gone goes on after what the checkpoints cover', async () => {
    const disk = freshDisk();
    const hash = await begun(disk, 3);
    checkpoint(disk);
    disk.remove(`${directory}/${first}`);
    assert.equal((await resuming(disk, { clock: createTestClock(Date.UTC(2026, 1, 14)) }).append(event(4))).seq, 6);
    const { seq, details } = openingIn(disk, first);
    assert.deepEqual([seq, details['reason'], details['found'], details['lost_file'], details['previous_hash'], details['first_seq']], [5, 'replaced', 'missing', null, hash, 5]);
    assert.equal((await verifyOn(disk)).verdict, 'incomplete');
  });

  test('that finds the newest file cut off begins another one after what the checkpoints cover', async () => {
    const disk = freshDisk();
    const hash = await begun(disk, 3);
    checkpoint(disk);
    disk.replace(home, `${directory}/${first}`, Buffer.from(`${linesIn(disk, first).slice(0, 2).join('\n')}\n`), 0o600);
    assert.equal((await resuming(disk).append(event(4))).seq, 6);
    const { details } = openingIn(disk, 'audit-2026-02-15.1.jsonl');
    assert.deepEqual([details['reason'], details['found'], details['lost_file'], details['previous_hash']], ['replaced', 'shorter', first, hash]);
  });

  test('goes on as ever when the log is as far as the checkpoints, or further', async () => {
    const disk = freshDisk();
    await begun(disk, 2);
    checkpoint(disk);
    await begun(disk, 2);
    assert.deepEqual(disk.list(directory), [first]);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('reads the state once, and never again', async () => {
    const disk = freshDisk();
    let asked = 0;
    const log = logOn(disk, { resume() { asked += 1; return undefined; } });
    for (const n of [1, 2, 3]) await log.append(event(n));
    assert.equal(asked, 1);
  });

  test('says where the state is damaged, and begins a log all the same', async () => {
    for (const text of ['', '{', 'null', '[]', '{"size":-1}', '{"size":1e300,"last_hash":"","last_time":0}', `{"size":3,"last_hash":"${'z'.repeat(64)}","last_time":"2026-02-15T00:00:00.000Z"}`,
      `{"size":3,"last_hash":"${'a'.repeat(64)}","last_time":"soon"}`, `{"size":3,"last_hash":"${'a'.repeat(64)}","last_time":1e17}`, 'x'.repeat(100_000)]) {
      const disk = freshDisk();
      disk.ensureDirectory(home, '/home/dashboard/tlog', 0o700);
      disk.replace(home, statePath, Buffer.from(text), 0o600);
      assert.equal((await resuming(disk).append(event(1))).seq, 2, text.slice(0, 80));
      const { details } = openingIn(disk, first);
      assert.deepEqual([details['reason'], details['checkpoint_state']], ['first', 'unreadable'], text.slice(0, 80));
    }
  });

  test('goes on after a compressed file when nothing else is left', async () => {
    const disk = freshDisk();
    const clock = createTestClock();
    const log = resuming(disk, { clock });
    for (const n of [1, 2]) { await log.append(event(n)); clock.advance(day); }
    await log.close();
    disk.replace(home, `${directory}/${first}.gz`, gzipSync(disk.read(`${directory}/${first}`, 1e6) ?? new Uint8Array()), 0o600);
    disk.remove(`${directory}/${first}`);
    checkpoint({ ...disk, list: (path) => disk.list(path).filter((name) => !name.endsWith('.gz')) });
    disk.remove(`${directory}/audit-2026-02-16.jsonl`);
    assert.equal((await resuming(disk, { clock }).append(event(3))).seq, 6);
    const { details } = openingIn(disk, 'audit-2026-02-17.jsonl');
    assert.deepEqual([details['reason'], details['found'], details['previous_file'], details['first_seq']], ['replaced', 'shorter', first, 5]);
    // Without a state the compressed file is all there is to go by.
    const other = freshDisk();
    const before = resuming(other);
    await before.append(event(1));
    other.replace(home, `${directory}/${first}.gz`, gzipSync(other.read(`${directory}/${first}`, 1e6) ?? new Uint8Array()), 0o600);
    other.remove(`${directory}/${first}`);
    assert.equal((await resuming(other).append(event(2))).seq, 4);
  });
});

describe('the only file, renamed', () => {
  for (const name of ['audit-2026-02-10.jsonl', 'audit-2999-01-01.jsonl', 'audit-2026-02-15.7.jsonl']) {
    test(`to ${name}: the chain runs on, for a fresh process and for one that has it open`, async () => {
      const disk = freshDisk();
      const open = resuming(disk);
      for (const n of [1, 2]) await open.append(event(n));
      checkpoint(disk);
      disk.move(`${directory}/${first}`, `${directory}/${name}`);
      assert.equal((await resuming(disk).append(event(3))).seq !== null, true);
      await open.append(event(4));
      const entries = disk.list(directory).flatMap((each) => linesIn(disk, each)).map((line) => JSON.parse(line)).toSorted((a, b) => a.seq - b.seq);
      assert.deepEqual(entries.map(({ seq }) => seq), entries.map((_, at) => at + 1), 'every number once');
      assert.deepEqual(entries.filter((entry) => entry.event === 'policy.allow').map(({ details }) => details.n), [1, 2, 3, 4]);
      assert.deepEqual((await verifyOn(disk)).breaks.filter(({ cause }) => ['edited', 'deleted', 'inserted', 'reordered'].includes(cause)), []);
      assert.ok(entries.some(({ details }) => details.reason === 'replaced' && details.lost_file === first), 'the process that had it open says so');
    });
  }
});

test('a state that knows less than nothing is no state', () => {
  const disk = freshDisk();
  const none: ResumePoint = readResumePoint(disk, home, statePath);
  assert.equal(none, undefined);
});

test('a clock that goes back and forth over midnight: one file a day, times never go back, every number once', async () => {
  const disk = freshDisk();
  const clock = createTestClock(Date.UTC(2026, 1, 15, 23, 59, 58));
  const log = resuming(disk, { clock });
  for (let n = 1; n <= 40; n += 1) {
    await (n % 3 === 0 ? resuming(disk, { clock }) : log).append(event(n));
    clock.advance(n % 2 === 0 ? 5000 : -4000);
  }
  assert.deepEqual(disk.list(directory), [first, 'audit-2026-02-16.jsonl']);
  const entries = disk.list(directory).flatMap((each) => linesIn(disk, each)).map((line) => JSON.parse(line));
  assert.deepEqual(entries.map(({ seq }) => seq), entries.map((_, at) => at + 1));
  const times = entries.map(({ timestamp }) => timestamp);
  assert.deepEqual(times, times.toSorted());
  assert.ok(entries.some(({ metadata }) => metadata.clock_behind_ms > 0));
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});
