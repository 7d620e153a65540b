import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut } from '../support/fault-files.ts';
import { createTestClock } from '../support/fakes.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';

const event = (n: number): { event: 'policy.allow'; actor: string; resource: string; details: { n: number } } =>
  ({ event: 'policy.allow', actor: 'user:alice', resource: `session:${n}`, details: { n } });

function freshDisk(): ReturnType<typeof createFaultFiles> {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  files.syncDirectory('/');
  return files;
}

test('append() writes the members in the contract\'s order and chains from 64 zeros', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk);
  const receipt = await log.append(event(1));
  const [open, entry] = linesIn(disk, 'audit-2026-02-15.jsonl');
  assert.deepEqual(Object.keys(JSON.parse(entry ?? '')), ['seq', 'timestamp', 'event', 'level', 'actor', 'resource', 'details', 'metadata', 'chain_hash']);
  assert.equal(receipt.seq, 2);
  const bodyOf = (line: string): string => `${line.slice(0, -81)}}`;
  const first = createHash('sha256').update('0'.repeat(64) + bodyOf(open ?? '')).digest('hex');
  assert.equal(JSON.parse(open ?? '').chain_hash, first);
  assert.equal(receipt.chain_hash, createHash('sha256').update(first + bodyOf(entry ?? '')).digest('hex'));
  assert.deepEqual(JSON.parse(open ?? '').details, { previous_file: null, reason: 'first', previous_hash: '0'.repeat(64), first_seq: 1 });
});

test('a second writer goes on with the chain of the first', async () => {
  const disk = faultDisk(freshDisk());
  const [a, b] = [logOn(disk), logOn(disk)];
  for (let n = 1; n <= 6; n += 1) assert.equal((await (n % 2 === 0 ? a : b).append(event(n))).seq, n + 1);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a new day opens a new file that names the one before', async () => {
  const disk = faultDisk(freshDisk());
  const clock = createTestClock();
  const log = logOn(disk, { clock });
  await log.append(event(1));
  clock.advance(24 * 3600_000);
  await log.append(event(2));
  const [open] = linesIn(disk, 'audit-2026-02-16.jsonl');
  const { details } = JSON.parse(open ?? '');
  assert.equal(details.previous_file, 'audit-2026-02-15.jsonl');
  assert.equal(details.first_seq, 3);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a cold writer on a new day takes over the chain', async () => {
  const disk = faultDisk(freshDisk());
  const clock = createTestClock();
  await logOn(disk, { clock }).append(event(1));
  clock.advance(3 * 24 * 3600_000);
  assert.equal((await logOn(disk, { clock }).append(event(2))).seq, 4);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a full file is followed by a numbered one, in numeric order beyond 9', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk, { maxFileBytes: 300 });
  for (let n = 1; n <= 14; n += 1) await log.append(event(n));
  assert.ok(disk.list(directory).includes('audit-2026-02-15.11.jsonl'));
  assert.equal((await logOn(disk, { maxFileBytes: 300 }).append(event(15))).seq !== null, true);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a clock that goes back is clamped and noted', async () => {
  const disk = faultDisk(freshDisk());
  const clock = createTestClock();
  const log = logOn(disk, { clock });
  await log.append(event(1));
  clock.advance(-48 * 3600_000);
  await log.append(event(2));
  const last = JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl').at(-1) ?? '');
  assert.equal(last.timestamp, '2026-02-15T14:30:00.000Z');
  assert.equal(last.metadata.clock_behind_ms, 48 * 3600_000);
});

test('details too large for a line go to a blob that the entry points to', async () => {
  const disk = faultDisk(freshDisk());
  const text = 'x'.repeat(70_000);
  await logOn(disk).append({ event: 'agent.action', actor: 'agent:a', details: { text } });
  const { details } = JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl').at(-1) ?? '');
  const blob = Buffer.from(disk.read(`/home/dashboard/blobs/${details.blob.sha256}`, 1e6) ?? []).toString();
  assert.equal(JSON.parse(blob).text, text);
  assert.equal(createHash('sha256').update(details.blob.salt + blob).digest('hex'), details.blob.sha256);
});

test('levels and exclusions leave out what may be left out, and nothing else', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk, { level: 'error', exclude: new Set(['session.fail', 'policy.allow', 'audit.verify']) });
  assert.deepEqual(await log.append({ event: 'session.start', actor: 'system' }), { seq: null, chain_hash: null });
  assert.deepEqual(await log.append({ event: 'session.fail', actor: 'system' }), { seq: null, chain_hash: null });
  assert.equal((await log.append(event(1))).seq, 2);
  assert.equal((await log.append({ event: 'audit.verify', actor: 'system' })).seq, 3);
});

test('a torn tail is kept aside and recorded', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  await logOn(disk).append(event(1));
  const handle = files.open(`${directory}/audit-2026-02-15.jsonl`, 'append');
  files.write(handle, Buffer.from('{"seq":3,"timestamp":"2026-'));
  assert.equal((await verifyOn(disk)).verdict, 'incomplete');
  await logOn(disk).append(event(2));
  const recovery = JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl').at(-2) ?? '');
  assert.equal(recovery.event, 'audit.recovery');
  assert.equal(recovery.details.length, 27);
  assert.equal(Buffer.from(disk.read(recovery.details.kept_as, 100) ?? []).toString(), '{"seq":3,"timestamp":"2026-');
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a file that was removed under the writer is noticed, recorded and chained on', async () => {
  const disk = faultDisk(freshDisk());
  const log = logOn(disk);
  await log.append(event(1));
  disk.remove(`${directory}/audit-2026-02-15.jsonl`);
  assert.equal((await log.append(event(2))).seq, 4);
  const open = JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl')[0] ?? '');
  assert.equal(open.details.reason, 'replaced');
  assert.equal(open.details.found, 'missing');
});

test('a damaged file is not written on: the next part opens and says so', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const log = logOn(disk);
  for (let n = 1; n <= 3; n += 1) await log.append(event(n));
  const text = linesIn(disk, 'audit-2026-02-15.jsonl').map((line, at) => (at === 2 ? line.replace('"n":2', '"n":7') : line)).join('\n');
  disk.replace(home, `${directory}/audit-2026-02-15.jsonl`, Buffer.from(`${text}\n`), 0o600);
  assert.equal((await logOn(disk).append(event(4))).seq, 6);
  const open = JSON.parse(linesIn(disk, 'audit-2026-02-15.1.jsonl')[0] ?? '');
  assert.equal(open.details.reason, 'damaged');
  const report = await verifyOn(disk);
  assert.equal(report.verdict, 'tampered');
  assert.deepEqual(report.breaks.map(({ cause, seq, line }) => ({ cause, seq, line })), [{ cause: 'edited', seq: 3, line: 3 }]);
});

test('log files of another format are moved aside and their hashes recorded', async () => {
  const disk = faultDisk(freshDisk());
  disk.ensureDirectory(home, directory, 0o700);
  const old = Buffer.from('{"timestamp":"2026-02-15T00:00:00Z","event":"session.start","chain_hash":"aa"}\n');
  disk.create(home, `${directory}/audit-2026-02-15.jsonl`, old, 0o600);
  disk.create(home, `${directory}/test.jsonl`, Buffer.from('{"test": "entry"}\n'), 0o600);
  await logOn(disk).append(event(1));
  const open = JSON.parse(linesIn(disk, 'audit-2026-02-15.jsonl')[0] ?? '');
  assert.deepEqual(open.details.legacy_files, [{ name: 'audit-2026-02-15.jsonl', sha256: createHash('sha256').update(old).digest('hex'), bytes: old.length }]);
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('a full disk refuses the entry, takes the half line back, and goes on when there is room', async () => {
  for (const partial of [0, 10, 100]) {
    const files = freshDisk();
    const disk = faultDisk(files);
    const log = logOn(disk);
    await log.append(event(1));
    // Two calls on: the write of the next batch (the short one is followed by another try).
    files.failAt(files.steps() + 1, 'ENOSPC', partial);
    if (partial > 0) files.failAt(files.steps() + 1, 'ENOSPC', partial);
    const attempt = log.append(event(2));
    if (partial === 0) {
      await assert.rejects(attempt, (error: unknown) => error instanceof LokiError && error.code === 'audit.unwritable' && error.message.includes('Cannot record policy.allow') && error.hint.includes('disk is full'));
    } else {
      await attempt;
    }
    assert.equal((await log.append(event(3))).seq, partial === 0 ? 3 : 4);
    assert.equal((await verifyOn(disk)).verdict, 'ok');
  }
});

test('a failed sync is never retried on the same descriptor, and the chain stays whole', async () => {
  const files = freshDisk();
  const disk = faultDisk(files);
  const log = logOn(disk);
  await log.append(event(1));
  files.failAt(files.steps() + 2, 'EIO');
  await assert.rejects(log.append(event(2)), /make ".*" durable: EIO/);
  await log.append(event(3));
  assert.equal((await verifyOn(disk)).verdict, 'ok');
});

test('power cut at every step: what was acknowledged is there, the chain is whole after the next append', async () => {
  const total = await (async () => {
    const files = freshDisk();
    await story(files);
    return files.steps();
  })();
  assert.ok(total > 30);
  for (let step = 2; step <= total; step += 1) {
    for (const leftover of leftovers) {
      const files = freshDisk();
      files.cutAt(step);
      const acknowledged = await story(files);
      const after = files.restart(leftover);
      const disk = faultDisk(after);
      const where = `step ${step} of ${total} (${files.log().at(-1)}), leftover ${leftover}`;
      const clock = createTestClock(Date.UTC(2026, 1, 17));
      if (disk.stat(home) === undefined) continue;
      await logOn(disk, { clock }).append(event(99));
      const report = await verifyOn(disk);
      assert.equal(report.verdict, 'ok', `${where}: ${JSON.stringify(report.breaks)}`);
      const hashes = new Set(disk.list(directory).flatMap((name) => linesIn(disk, name)).map((line) => JSON.parse(line).chain_hash));
      for (const hash of acknowledged) assert.ok(hashes.has(hash), `${where}: an acknowledged entry is gone`);
    }
  }
});

/** A day's work: batches, a size split, a new day, a blob. Gives the hashes that were acknowledged. */
async function story(files: ReturnType<typeof createFaultFiles>): Promise<readonly string[]> {
  const disk = faultDisk(files);
  const clock = createTestClock();
  const acknowledged: string[] = [];
  const log = logOn(disk, { clock, maxFileBytes: 1500 });
  const append = async (n: number, size = 0): Promise<void> => {
    const { chain_hash } = await log.append({ ...event(n), details: { n, pad: 'p'.repeat(size) } });
    if (chain_hash !== null) acknowledged.push(chain_hash);
  };
  try {
    await append(1);
    await Promise.all([append(2), append(3), append(4)]);
    await append(5, 900);
    await append(6);
    await append(7, 70_000);
    clock.advance(24 * 3600_000);
    await Promise.all([append(8), append(9)]);
  } catch (error) {
    let cause = error;
    while (cause instanceof Error && !(cause instanceof PowerCut)) cause = cause.cause;
    if (!(cause instanceof PowerCut)) throw error;
  }
  return acknowledged;
}
