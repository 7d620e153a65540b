/** How long an entry may wait, by its event's durability; and what becomes of what was best effort. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { AuditLog, AuditLogOptions } from '../../lib/audit/log.ts';
import type { Disk, Files, Lock, Timers } from '../../lib/ports.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { createTestLock, realTimers } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../support/fault-files.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';

const first = 'audit-2026-02-15.jsonl';
const decision = (n: number): AuditEvent => ({ event: 'policy.allow', actor: 'agent:a', details: { n } });
const result = (n: number): AuditEvent => ({ event: 'agent.action', actor: 'agent:a', details: { n } });
const info = (n: number, pad = 0): AuditEvent => ({ event: 'api.request', actor: 'system', details: { n, ...(pad === 0 ? {} : { pad: 'p'.repeat(pad) }) } });

function freshDisk(): FaultFiles {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

/** The batches that were written, as the lengths of their writes, and the log over them. */
function watched(changes: Partial<AuditLogOptions> = {}): { readonly log: AuditLog; readonly disk: Disk; readonly files: FaultFiles; batches(): number } {
  const files = freshDisk();
  const disk = faultDisk(files);
  return { log: logOn(disk, changes), disk, files, batches: () => files.log().filter((line) => / write \d+$/.test(line)).length };
}

function entriesOn(disk: Disk): readonly JsonObject[] {
  return disk.list(directory).flatMap((name) => linesIn(disk, name)).map((line): JsonObject => JSON.parse(line));
}

const eventsOn = (disk: Disk): readonly string[] => entriesOn(disk).map(({ event }) => String(event));

/** Timers that never fire: what only a timer would send stays where it is. */
const stoppedTimers: Timers = { ...realTimers, after: () => () => undefined, sleep: (milliseconds) => (milliseconds > 1 ? new Promise(() => undefined) : realTimers.sleep(milliseconds)) };

/** Turns enough for the writer to end what it is at, on a crowded machine too. */
const settled = async (): Promise<void> => { for (let turn = 0; turn < 10; turn += 1) await realTimers.sleep(1); };

describe('a result', () => {
  test('is durable when append() resolves, the first one without waiting for anything', async () => {
    const { log, disk } = watched({ timers: stoppedTimers });
    assert.equal((await log.append(result(1))).seq, 2);
    assert.deepEqual(eventsOn(disk), ['audit.open', 'agent.action']);
  });

  test('that follows another closely waits for company, and a decision takes it along', async () => {
    const { log, batches } = watched({ timers: stoppedTimers });
    await log.append(result(1));
    await settled();
    const before = batches();
    const waiting = [log.append(result(2)), log.append(result(3))];
    await settled();
    assert.equal(batches(), before, 'it waits');
    await log.append(decision(4));
    assert.deepEqual((await Promise.all(waiting)).map(({ seq }) => seq), [3, 4]);
    assert.equal(batches(), before + 1, 'one batch for all three');
  });

  test('does not wait when 64 of them do, nor when the log is closed', async () => {
    const { log } = watched({ timers: stoppedTimers });
    await log.append(result(0));
    await settled();
    await Promise.all(Array.from({ length: 64 }, (_, n) => log.append(result(n))));
    await settled();
    const last = log.append(result(65));
    await log.close();
    assert.equal((await last).seq, 67);
  });

  test('that waits is written without anybody else coming, and with who came meanwhile', async () => {
    const { log, batches } = watched();
    await log.append(result(1));
    await settled();
    const before = batches();
    await Promise.all([log.append(result(2)), log.append(result(3))]);
    assert.equal(batches(), before + 1);
  });
});

test('a result that is refused is told to its caller, and as a gap by the next batch', async () => {
  const { log, disk, files } = watched();
  await log.append(decision(1));
  files.failAt(files.steps() + 1, 'EIO');
  await assert.rejects(log.append(result(2)), { code: 'audit.unwritable' });
  await log.append(decision(3));
  assert.deepEqual(eventsOn(disk), ['audit.open', 'policy.allow', 'audit.gap', 'policy.allow']);
});

test('a lock that was waited for in vain is not waited for again at close', async () => {
  let asked = 0;
  const lost: JsonObject[] = [];
  const held: Lock = { ...createTestLock(), acquire() { asked += 1; return Promise.reject(new LokiError('lock.timeout', { attempted: 'wait', found: 'held' })); } };
  const { log } = watched({ lock: held, onLost: (gap) => lost.push(gap) });
  await assert.rejects(log.append(result(1)), { code: 'audit.unwritable' });
  await log.close();
  assert.deepEqual([asked, lost.map(({ events }) => events)], [1, [{ 'agent.action': 1 }]]);
});

describe('what is best effort', () => {
  test('is accepted at once, and stands before the decision that takes it along', async () => {
    const { log, disk } = watched({ timers: stoppedTimers });
    assert.deepEqual(await log.append(info(1)), { seq: null, chain_hash: null });
    assert.equal(disk.stat(`${directory}/${first}`), undefined, 'nothing is written yet');
    assert.equal((await log.append(decision(2))).seq, 3);
    assert.deepEqual(eventsOn(disk), ['audit.open', 'api.request', 'policy.allow']);
  });

  test('is written a little later by itself, and when the log is closed', async () => {
    const { log, disk } = watched();
    await log.append(info(1));
    for (const end = performance.now() + 5000; eventsOn(disk).length < 2 && performance.now() < end;) await realTimers.sleep(10);
    assert.deepEqual(eventsOn(disk), ['audit.open', 'api.request']);
    await log.append(info(2));
    await log.close();
    assert.deepEqual(eventsOn(disk), ['audit.open', 'api.request', 'api.request']);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('never takes a decision\'s place: a thousand that wait go behind', async () => {
    const { log, disk } = watched({ timers: stoppedTimers, lock: createTestLock() });
    for (let n = 0; n < 1000; n += 1) void log.append(info(n, 300));
    await log.append(decision(1));
    const seqs = entriesOn(disk);
    assert.equal(seqs.at(-1)?.['event'], 'policy.allow');
    assert.ok(seqs.length < 500, `${seqs.length} entries stand before a decision`);
    await log.close();
    assert.equal(eventsOn(disk).filter((event) => event === 'api.request').length, 1000);
  });

  test('that does not fit the queue is counted, and the next batch says so', async () => {
    const { log, disk } = watched({ timers: stoppedTimers, lock: createTestLock() });
    let hold = (): void => undefined;
    const held: Lock = { ...createTestLock(), acquire: () => new Promise((resolve) => { hold = resolve; }) };
    const slow = logOn(disk, { timers: stoppedTimers, lock: held });
    for (let n = 0; n < 4102; n += 1) void slow.append(info(n));
    await slow.append(info(4102, 40_000));
    hold();
    const lasts = slow.append(decision(1));
    for (let turn = 0; turn < 60; turn += 1) { hold(); await realTimers.sleep(1); }
    await lasts;
    const gap = entriesOn(disk).find(({ event }) => event === 'audit.gap');
    assert.deepEqual(gap?.['details'], {
      count: 7, first: '2026-02-15T14:30:00.000Z', last: '2026-02-15T14:30:00.000Z', reasons: { 'queue full': 6, 'too large': 1 }, events: { 'api.request': 7 },
    });
    assert.equal((await verifyOn(disk)).verdict, 'ok');
    await log.close();
  });

  test('that could not be written is counted, and told once there is room; a decision that fails beside it is refused', async () => {
    const { log, disk, files } = watched({ timers: stoppedTimers });
    await log.append(decision(1));
    files.failAt(files.steps() + 1, 'EIO');
    await log.append(info(2));
    await assert.rejects(log.append(decision(3)), /EIO/);
    await log.append(decision(4));
    await log.append(decision(5));
    const told = entriesOn(disk).filter(({ event }) => event === 'audit.gap');
    assert.deepEqual(told.map(({ details }) => details), [{
      count: 1, first: '2026-02-15T14:30:00.000Z', last: '2026-02-15T14:30:00.000Z', reasons: { 'write failed': 1 }, events: { 'api.request': 1 },
    }]);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('that was lost is told at close when nothing else is written; where that cannot be, whoever asked hears of it', async () => {
    const files = freshDisk();
    let broken = false;
    const breaking: Files = { ...files, write(handle, bytes) { if (broken) throw Object.assign(new Error('no'), { code: 'EIO' }); return files.write(handle, bytes); } };
    const lost: JsonObject[] = [];
    const disk = faultDisk(breaking);
    const log = logOn(disk, { onLost: (gap) => lost.push(gap) });
    await log.append(decision(1));
    await log.append(info(2, 40_000));
    await log.close();
    assert.deepEqual(eventsOn(disk), ['audit.open', 'policy.allow', 'audit.gap']);
    broken = true;
    await log.append(info(3));
    await log.close();
    assert.deepEqual(lost.map(({ count, reasons }) => [count, reasons]), [[1, { 'write failed': 1 }]]);
  });

  test('and cannot become an entry is counted, and takes no decision with it', async () => {
    const { log, disk } = watched({
      timers: stoppedTimers,
      protection: {
        overhead: () => 0,
        protect(event) {
          if (event.event === 'api.request') throw new Error('no key');
          return { actor: event.actor, details: event.details ?? {}, metadata: {} };
        },
      },
    });
    await log.append(info(1));
    assert.equal((await log.append(decision(2))).seq, 2);
    await log.close();
    assert.deepEqual(eventsOn(disk), ['audit.open', 'policy.allow', 'audit.gap']);
    assert.match(JSON.stringify(entriesOn(disk)[2]), /"reasons":\{"cannot be written":1\}/);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  });

  test('and cannot become an entry is counted once when its batch fails too', async () => {
    const files = freshDisk();
    let broken = false;
    const breaking: Files = { ...files, write(handle, bytes) { if (broken) throw Object.assign(new Error('no'), { code: 'EIO' }); return files.write(handle, bytes); } };
    const lost: JsonObject[] = [];
    const log = logOn(faultDisk(breaking), {
      onLost: (gap) => lost.push(gap),
      protection: { overhead: () => 0, protect(event) { if (event.event === 'api.request') throw new Error('no key'); return { actor: event.actor, details: event.details ?? {}, metadata: {} }; } },
    });
    await log.append(decision(1));
    broken = true;
    await log.append(info(2));
    await assert.rejects(log.append(decision(3)));
    await log.close();
    assert.deepEqual(lost.map(({ count, reasons }) => [count, reasons]), [[1, { 'write failed': 1 }]]);
  });

  test('is awaited like the others where that was asked for', async () => {
    const { log } = watched({ everyEventDurable: true });
    assert.equal((await log.append(info(1))).seq, 2);
  });
});

test('whoever listens hears of each batch after its callers, and of a page that was turned; what it throws is nobody\'s trouble', async () => {
  const heard: string[] = [];
  const { log } = watched({
    maxFileBytes: 900,
    onAppended(count, seq) { heard.push(`${count} up to ${seq}`); throw new Error('listener'); },
    onTurn(finished, reason) { heard.push(`${finished} ${reason}`); throw new Error('listener'); },
  });
  for (const n of [1, 2, 3]) { await log.append(decision(n)); heard.push(`receipt ${n}`); }
  await log.close();
  assert.deepEqual(heard.filter((line) => !line.startsWith('receipt')), ['null first', '1 up to 2', '1 up to 3', `${first} size`, '1 up to 5']);
  assert.ok(heard.indexOf('receipt 1') < heard.indexOf('1 up to 2'), heard.join(', '));
});
