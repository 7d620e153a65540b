import assert from 'node:assert/strict';
import test from 'node:test';
import type { Disk } from '../../lib/ports.ts';
import type { ChainBreak } from '../../lib/audit/verify.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { createTestClock } from '../support/fakes.ts';
import { directory, home, linesIn, logOn, verifyOn } from './support.ts';

/** Three files, 12 entries a file. */
async function makeLog(): Promise<Disk> {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const disk = faultDisk(files);
  const clock = createTestClock();
  const log = logOn(disk, { clock });
  for (let day = 0; day < 3; day += 1) {
    for (let n = 0; n < 11; n += 1) await log.append({ event: 'policy.allow', actor: 'agent:a', details: { day, n } });
    clock.advance(24 * 3600_000);
  }
  return disk;
}

const second = 'audit-2026-02-16.jsonl';

function rewrite(disk: Disk, change: (lines: string[]) => readonly string[], name = second, end = '\n'): void {
  disk.replace(home, `${directory}/${name}`, Buffer.from(change([...linesIn(disk, name)]).join('\n') + end), 0o600);
}

async function breaksOf(disk: Disk): Promise<readonly Pick<ChainBreak, 'file' | 'line' | 'seq' | 'cause'>[]> {
  return (await verifyOn(disk)).breaks.map(({ file, line, seq, cause }) => ({ file, line, seq, cause }));
}

test('verify says ok of an untouched log and counts every entry', async () => {
  const report = await verifyOn(await makeLog());
  assert.deepEqual([report.verdict, report.entries_checked, report.first_seq, report.last_seq], ['ok', 36, 1, 36]);
});

test('verify names an edited entry', async () => {
  const disk = await makeLog();
  rewrite(disk, (lines) => lines.map((line, at) => (at === 4 ? line.replace('"n":3', '"n":9') : line)));
  assert.deepEqual(await breaksOf(disk), [{ file: second, line: 5, seq: 17, cause: 'edited' }]);
});

test('verify names an entry whose hash was changed', async () => {
  const disk = await makeLog();
  rewrite(disk, (lines) => lines.map((line, at) => (at === 4 ? line.replace(/.{3}"\}$/, '000"}') : line)));
  const [first] = await breaksOf(disk);
  assert.deepEqual(first, { file: second, line: 5, seq: 17, cause: 'edited' });
});

test('verify names a deleted entry by what is missing', async () => {
  const disk = await makeLog();
  rewrite(disk, (lines) => lines.toSpliced(4, 2));
  const report = await verifyOn(disk);
  assert.deepEqual(report.breaks.map(({ line, seq, cause, found }) => [line, seq, cause, found]), [[5, 19, 'deleted', 'seq 17 to 18 are missing before it']]);
});

test('verify names an inserted line, whether it was chained on or copied', async () => {
  const disk = await makeLog();
  rewrite(disk, (lines) => lines.toSpliced(4, 0, (lines[4] ?? '').replace('"n":3', '"n":8')));
  assert.deepEqual(await breaksOf(disk), [{ file: second, line: 5, seq: 17, cause: 'inserted' }]);
  const again = await makeLog();
  rewrite(again, (lines) => lines.toSpliced(6, 0, lines[2] ?? ''));
  assert.equal((await breaksOf(again))[0]?.cause, 'inserted');
});

test('verify names reordered entries', async () => {
  const disk = await makeLog();
  rewrite(disk, (lines) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? ''));
  assert.deepEqual(await breaksOf(disk), [{ file: second, line: 5, seq: 18, cause: 'reordered' }]);
});

test('verify names a missing file in the middle, and calls missing oldest files incomplete', async () => {
  const disk = await makeLog();
  disk.remove(`${directory}/${second}`);
  assert.deepEqual(await breaksOf(disk), [{ file: 'audit-2026-02-17.jsonl', line: 1, seq: 25, cause: 'missing file' }]);
  const old = await makeLog();
  old.remove(`${directory}/audit-2026-02-15.jsonl`);
  const report = await verifyOn(old);
  assert.equal(report.verdict, 'incomplete');
  assert.equal(report.breaks[0]?.found, 'the log begins at seq 13');
});

test('verify names a torn tail, an empty line, a line by hand, CRLF and BOM', async () => {
  const cases: readonly [(lines: string[]) => readonly string[], string, ChainBreak['cause']][] = [
    [(lines) => [...lines, '{"seq":25,"times'], '', 'torn tail'],
    [(lines) => lines.toSpliced(3, 0, ''), '\n', 'not an entry'],
    [(lines) => lines.toSpliced(3, 0, '{"test": "entry"}'), '\n', 'not an entry'],
    [(lines) => lines.map((line) => `${line}\r`), '\n', 'not an entry'],
    [(lines) => lines.map((line, at) => (at === 0 ? `\uFEFF${line}` : line)), '\n', 'edited'],
  ];
  for (const [change, end, cause] of cases) {
    const disk = await makeLog();
    rewrite(disk, change, 'audit-2026-02-17.jsonl', end);
    const report = await verifyOn(disk);
    assert.equal(report.breaks[0]?.cause, cause);
    assert.equal(report.verdict, cause === 'torn tail' ? 'incomplete' : 'tampered');
  }
});

test('every flipped bit of a small log is found', async () => {
  const disk = await makeLog();
  const path = `${directory}/${second}`;
  const bytes = Buffer.from(disk.read(path, 1e6) ?? []);
  for (let at = 0; at < bytes.length; at += 13) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    disk.replace(home, path, flipped, 0o600);
    const report = await verifyOn(disk);
    assert.notEqual(report.verdict, 'ok', `byte ${at}`);
    assert.equal(report.breaks[0]?.file, at === bytes.length - 1 ? report.breaks[0]?.file : second, `byte ${at}`);
  }
});
