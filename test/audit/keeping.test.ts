import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AuditLogOptions } from '../../lib/audit/log.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { compressSealed } from '../../lib/audit/keeping/compress.ts';
import { keepRound, type RoundReport } from '../../lib/audit/keeping/keep.ts';
import type { Kept } from '../../lib/audit/keeping/finished.ts';
import { planPrune, type Retention } from '../../lib/audit/keeping/plan.ts';
import { prune, type PruneMeans } from '../../lib/audit/keeping/prune.ts';
import { readSeal, sealText } from '../../lib/audit/keeping/seal.ts';
import { sealFinished } from '../../lib/audit/keeping/sealing.ts';
import { newestStatement, noteOpener, statementFor } from '../../lib/audit/keeping/statement.ts';
import { openLogFile, readableFiles } from '../../lib/audit/log-file.ts';
import { noteSigner, openNote, signNote } from '../../lib/base/merkle/note.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import type { Disk } from '../../lib/ports.ts';
import { createTestClock, createTestLock, realTimers, type TestClock } from '../support/fakes.ts';
import { createFaultFiles, faultDisk, leftovers, type FaultFiles } from '../support/fault-files.ts';
import { directory, home, logOn } from './support.ts';
import { stride } from '../support/long.ts';

const day = 24 * 3600_000;
const tlog = '/home/dashboard/tlog';
const blobs = '/home/dashboard/blobs';
const files: readonly string[] = [15, 16, 17, 18].map((n) => `audit-2026-02-${n}.jsonl`);
const [first = '', second = '', third = '', fourth = ''] = files;
const signer = noteSigner('test.example/loki/audit', new Uint8Array(32).fill(7));
const open = noteOpener([signer.key]);

const event = (n: number, more: JsonObject = {}): AuditEvent => ({ event: 'policy.allow', actor: `user:${n % 2 === 0 ? 'alice' : 'bob'}`, details: { n, ...more } });
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A disk and a clock. */
interface World {
  readonly files: FaultFiles;
  readonly disk: Disk;
  readonly clock: TestClock;
}

function worldOn(fault: FaultFiles, at: number): World {
  return { files: fault, disk: faultDisk(fault), clock: createTestClock(at) };
}

const start = Date.UTC(2026, 1, 15, 14, 30);

/** Three days of entries, and a fourth that goes on. */
async function fourDays(changes: Partial<AuditLogOptions> = {}): Promise<World> {
  const fault = createFaultFiles();
  fault.makeDirectory(home, 0o700);
  fault.syncDirectory('/');
  const world = worldOn(fault, start);
  const log = logOn(world.disk, { clock: world.clock, ...changes });
  for (let n = 0; n < 8; n += 1) {
    await log.append(event(n, n === 1 || n === 7 ? { large: 'x'.repeat(70_000) } : {}));
    if (n % 2 === 1 && n < 7) world.clock.advance(day);
  }
  await log.close();
  return world;
}

function keptOn({ disk, clock }: World): Kept {
  const log = logOn(disk, { clock, lock: createTestLock() });
  return { disk, clock, timers: realTimers, base: home, directory, tlogDirectory: tlog, blobDirectory: blobs, fileMode: 0o600, directoryMode: 0o700, record: (entry) => log.append(entry) };
}

function means(retention: Retention, changes: Partial<PruneMeans> = {}): PruneMeans {
  return { retention, actor: 'user:tester', origin: () => signer.key.name, advance: () => Promise.resolve(Number.MAX_SAFE_INTEGER), sign: (text) => Promise.resolve(Buffer.from(signNote(text, signer))), open, ...changes };
}

function entriesOn(disk: Disk): readonly JsonObject[] {
  return readableFiles(disk, directory).flatMap(({ name }) => {
    const file = openLogFile(disk, directory, name);
    const bytes = file?.read(0, file.stat().size) ?? new Uint8Array();
    file?.close();
    return Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean).map((line): JsonObject => JSON.parse(line));
  });
}

const eventsOn = (disk: Disk, name: string): readonly JsonObject[] => entriesOn(disk).filter((entry) => entry['event'] === name);
const detailsOf = (entry: JsonObject | undefined): Record<string, unknown> => (isPlainObject(entry?.['details']) ? entry['details'] : {});

/** The chain over all files, compressed ones too, holds from its first line on; gives that line's number. */
function assertChain(disk: Disk, where = ''): number {
  let before: { seq: number; hash: string } | undefined;
  let firstSeq = 0;
  for (const { name } of readableFiles(disk, directory)) {
    const file = openLogFile(disk, directory, name);
    const text = Buffer.from(file?.read(0, file.stat().size) ?? []).toString('utf8');
    file?.close();
    for (const line of text.split('\n').filter(Boolean)) {
      const entry: { seq: number; chain_hash: string; details: { previous_hash: string } } = JSON.parse(line);
      before ??= { seq: entry.seq - 1, hash: entry.details.previous_hash };
      firstSeq = firstSeq === 0 ? entry.seq : firstSeq;
      assert.equal(entry.seq, before.seq + 1, `${where} ${name}`);
      assert.equal(sha256(`${before.hash}${line.slice(0, -81)}}`), entry.chain_hash, `${where} ${name} seq ${entry.seq}`);
      before = { seq: entry.seq, hash: entry.chain_hash };
    }
  }
  return firstSeq;
}

function overwrite({ files: fault }: World, path: string, bytes: Uint8Array): void {
  if (fault.stat(path) === undefined) fault.open(path, 'create-append');
  const handle = fault.open(path, 'append');
  fault.truncate(handle, 0);
  fault.write(handle, bytes);
  fault.sync(handle);
}

const contentOf = ({ disk }: World, name: string): Buffer => Buffer.from(disk.read(`${directory}/${name}`, 1e9) ?? []);
const audits = ({ disk }: World): readonly string[] => disk.list(directory).filter((name) => name.startsWith('audit-'));

test('finished files are sealed with what they hold, and the log vouches for each seal', async () => {
  const world = await fourDays();
  const { sealed, problems } = await sealFinished(keptOn(world));
  assert.deepEqual([sealed, problems], [[first, second, third], []]);
  const seal = readSeal(world.disk, home, tlog, `${second}.gz`);
  assert.ok(seal !== undefined);
  const bytes = contentOf(world, second);
  const lines = bytes.toString('utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(seal, {
    file: second, day: '2026-02-16', first_seq: 4, last_seq: 6, entries: 3, first_time: lines[0].timestamp, last_time: lines[2].timestamp,
    bytes: bytes.length, sha256: sha256(bytes), previous_hash: lines[0].details.previous_hash, last_hash: lines[2].chain_hash,
    events: { 'audit.open': 1, 'policy.allow': 2 }, levels: { info: 3 }, actors: { 'system': 1, 'user:alice': 1, 'user:bob': 1 },
  });
  const rotations = eventsOn(world.disk, 'audit.rotate');
  assert.deepEqual(rotations.map(({ resource }) => resource), [first, second, third].map((name) => `file:${name}`));
  assert.equal(detailsOf(rotations[1])['seal_sha256'], sha256(sealText(seal)));
  assert.equal(sealText(seal), Buffer.from(world.disk.read(`${tlog}/seals/${second}.json`, 1e6) ?? []).toString());
});

test('sealing again changes and records nothing, also when what it remembers is lost', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  const entries = entriesOn(world.disk).length;
  assert.deepEqual(await sealFinished(keptOn(world)), { sealed: [], isSure: true, problems: [] });
  world.disk.remove(`${tlog}/keeping.json`);
  assert.deepEqual(await sealFinished(keptOn(world)), { sealed: [], isSure: true, problems: [] });
  assert.equal(entriesOn(world.disk).length, entries);
});

test('a file whose chain does not hold gets no seal, is not compressed or pruned, and is named', async () => {
  const damages: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    'edited': (bytes) => Buffer.from(bytes.toString().replace('"n":3', '"n":4')),
    'cut at a line': (bytes) => bytes.subarray(0, bytes.lastIndexOf(10, bytes.length - 2) + 1),
    'torn': (bytes) => bytes.subarray(0, bytes.length - 20),
    'a line twice': (bytes) => Buffer.concat([bytes, bytes.subarray(bytes.lastIndexOf(10, bytes.length - 2) + 1)]),
    'beginning gone': (bytes) => bytes.subarray(bytes.indexOf(10) + 1),
    'empty line': (bytes) => Buffer.concat([bytes, Buffer.from('\n')]),
    'other text': () => Buffer.from('hello\n'),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const world = await fourDays();
    const damaged = damage(contentOf(world, second));
    overwrite(world, `${directory}/${second}`, damaged);
    const { sealed, problems } = await sealFinished(keptOn(world));
    // Where its beginning is gone, nobody can say that the file before it is whole.
    const whole = ['beginning gone', 'other text'].includes(what) ? [] : [first];
    const bad = [first, second].slice(whole.length);
    assert.deepEqual([sealed, problems.map(({ file }) => file)], [[...whole, third], bad], what);
    const { compressed } = await compressSealed(keptOn(world));
    assert.deepEqual(compressed, [...whole, third], what);
    world.clock.advance(100 * day);
    const { pruned, problems: left } = await prune(keptOn(world), means({ days: 30 }));
    assert.deepEqual([pruned.map(({ file }) => file), left.map(({ file }) => file)], [whole, [bad[0]]], what);
    assert.ok(contentOf(world, second).equals(damaged), what);
  }
});

test('a sealed file becomes a gzip file once its day is over; today\'s parts wait', async () => {
  const world = await fourDays({ maxFileBytes: 300 });
  const before = entriesOn(world.disk);
  await sealFinished(keptOn(world));
  const { compressed, problems } = await compressSealed(keptOn(world));
  assert.deepEqual(problems, []);
  assert.ok(compressed.length >= 3 && compressed.every((name) => !name.includes('02-18')));
  assert.ok(audits(world).some((name) => name.includes('02-18') && name.endsWith('.jsonl')));
  assert.deepEqual(entriesOn(world.disk).slice(0, before.length), before);
  const [name = ''] = compressed;
  assert.equal(sha256(gunzipSync(contentOf(world, `${name}.gz`))), readSeal(world.disk, home, tlog, name)?.sha256);
  assertChain(world.disk);
  const again = await compressSealed(keptOn(world));
  assert.deepEqual(again, { compressed: [], problems: [] });
});

test('compressed files keep the mode of the plain ones', async () => {
  const world = await fourDays({ fileMode: 0o640, directoryMode: 0o750 });
  await sealFinished(keptOn(world));
  await compressSealed(keptOn(world));
  assert.equal(world.disk.stat(`${directory}/${first}.gz`)?.mode, 0o640);
});

test('both files there: the same content is finished, anything else is left and told', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  const [a, b, c] = [first, second, third].map((name) => contentOf(world, name));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  overwrite(world, `${directory}/${first}.gz`, gzipSync(a));
  overwrite(world, `${directory}/${second}.gz`, gzipSync(Buffer.concat([b, Buffer.from('more\n')])));
  overwrite(world, `${directory}/${third}.gz`, gzipSync(c).subarray(0, -5));
  const { compressed, problems } = await compressSealed(keptOn(world));
  assert.deepEqual([compressed, problems.map(({ file }) => file)], [[first], [second, third]]);
  assert.deepEqual(audits(world).filter((name) => !name.includes('02-18')), [`${first}.gz`, second, `${second}.gz`, third, `${third}.gz`]);
  world.clock.advance(100 * day);
  const { pruned } = await prune(keptOn(world), means({ days: 30 }));
  assert.deepEqual(pruned, [], 'evidence is not pruned');
});

test('a plain file that was changed after its seal is not compressed', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  overwrite(world, `${directory}/${first}`, Buffer.from(contentOf(world, first).toString().replace('"n":0', '"n":5')));
  const { compressed, problems } = await compressSealed(keptOn(world));
  assert.deepEqual([compressed, problems.map(({ file }) => file)], [[second, third], [first]]);
  assert.equal(world.disk.stat(`${directory}/${first}.gz`), undefined);
});

test('pruning takes whole old days, says so signed and in the log, and keeps seals and what follows', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  await compressSealed(keptOn(world));
  const [blobsBefore, seal] = [world.disk.list(blobs), readSeal(world.disk, home, tlog, second)];
  // The 16th ended so long ago, the 17th not.
  world.clock.set(Date.UTC(2026, 1, 17) + 30 * day);
  const { pruned, problems } = await prune(keptOn(world), means({ days: 30, maxFiles: 50 }));
  assert.deepEqual([pruned.map(({ file }) => file), problems], [[first, second], []]);
  assert.equal(audits(world)[0], `${third}.gz`);
  assert.deepEqual(world.disk.list(`${tlog}/seals`).length, 3);
  assert.equal(world.disk.list(blobs).length, blobsBefore.length - 1, 'the blob that only the pruned file names');
  const note = Buffer.from(world.disk.read(`${tlog}/prune-6`, 1e6) ?? []).toString();
  assert.equal(openNote(note, [signer.key]).ok, true);
  const statement = newestStatement(world.disk, home, tlog, open);
  assert.ok(statement !== undefined && seal !== undefined);
  assert.deepEqual({ ...statement, files: statement.files.map(({ file }) => file) }, {
    first_seq: 1, last_seq: 6, last_hash: seal.last_hash, entries: 6, files: [first, second], retention_days: 30, max_files: 50, time: new Date(world.clock.now()).toISOString(),
  });
  const [entry] = eventsOn(world.disk, 'audit.prune');
  assert.equal(entry?.['actor'], 'user:tester');
  assert.equal(detailsOf(entry)['text_sha256'], sha256(note.slice(0, note.indexOf('\n\n') + 1)));
  assert.equal(assertChain(world.disk), 7);
  assert.deepEqual(statementFor(world.disk, home, tlog, open, 7, seal.last_hash), statement);
  assert.equal(statementFor(world.disk, home, tlog, open, 7, '0'.repeat(64)), undefined);
  assert.equal(statementFor(world.disk, home, tlog, open, 8, seal.last_hash), undefined);
  assert.equal(statementFor(world.disk, home, tlog, open, 4, '1'.repeat(64))?.last_seq, 6, 'a file of the statement that still stands');
  assert.equal(newestStatement(world.disk, home, tlog, noteOpener([noteSigner('test.example/loki/audit', new Uint8Array(32)).key])), undefined, 'another key');
});

test('a second round goes on from the first, and its statement counts from the beginning', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  world.clock.set(Date.UTC(2026, 1, 16) + 30 * day);
  assert.equal((await prune(keptOn(world), means({ days: 30 }))).pruned.length, 1);
  world.clock.advance(day);
  assert.equal((await prune(keptOn(world), means({ days: 30 }))).pruned.length, 1);
  const statement = newestStatement(world.disk, home, tlog, open);
  assert.deepEqual([statement?.last_seq, statement?.entries, statement?.files.length], [6, 6, 1]);
  assert.deepEqual(await prune(keptOn(world), means({ days: 30 })), { pruned: [], problems: [] });
});

test('max_files keeps the newest so many, and never takes the newest', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  assert.deepEqual(planPrune(keptOn(world), { maxFiles: 3 }).doomed.map(({ seal, why }) => [seal.file, why]), [[first, 'max_files']]);
  const { pruned } = await prune(keptOn(world), means({ maxFiles: 2 }));
  assert.deepEqual([pruned.map(({ file }) => file), audits(world)], [[first, second], [third, fourth]]);
  world.clock.advance(1000 * day);
  // Recording that a page is turned makes a newer one, so the fourth may go in a later round; what is newest stays.
  await prune(keptOn(world), means({ days: 1 }));
  assert.ok(audits(world).length >= 1);
  assertChain(world.disk);
});

test('where nobody looks, the clock counts up to seven days after the newest finished entry; a number of files counts as ever', async () => {
  const world = await fourDays();
  const doomed = (retention: Retention): readonly string[] => planPrune(keptOn(world), retention).doomed.map(({ seal }) => seal.file);
  await sealFinished(keptOn(world));
  world.clock.advance(1000 * day);
  assert.deepEqual(doomed({ days: 8 }), [first, second, third]);
  // The third file's last entry is of the 17th, half past two, so it is the 24th.
  assert.deepEqual(doomed({ days: 7, isUnattended: true }), [first, second]);
  assert.deepEqual(doomed({ days: 8, isUnattended: true }), [first]);
  assert.deepEqual(doomed({ days: 9, isUnattended: true }), []);
  assert.deepEqual(doomed({ days: 9, maxFiles: 2, isUnattended: true }), [first, second]);
  const last = Date.parse(readSeal(world.disk, home, tlog, third)?.last_time ?? '');
  for (const [at, ahead] of [[last + 7 * day, undefined], [last + 7 * day + 1, 7 * day + 1]] as const) {
    world.clock.set(at);
    assert.equal(planPrune(keptOn(world), {}).clockAheadMs, ahead);
  }
  world.disk.remove(`${tlog}/seals/${third}.json`);
  world.clock.set(start + 1000 * day);
  assert.deepEqual(doomed({ days: 9, isUnattended: true }), [first], 'without a seal its day\'s end counts');
});

test('nothing is pruned that no checkpoint covers, and nothing across a hole', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  world.clock.advance(100 * day);
  const uncovered = await prune(keptOn(world), means({ days: 30 }, { advance: () => Promise.resolve(5) }));
  assert.deepEqual([uncovered.pruned, uncovered.problems.length, world.disk.list(tlog).includes('prune-9')], [[], 1, false]);
  world.disk.remove(`${directory}/${second}`);
  const holed = await prune(keptOn(world), means({ days: 30 }));
  assert.deepEqual([holed.pruned, holed.problems.map(({ file }) => file)], [[], [third]]);
});

test('entries that went without a statement are not signed away: statements count from where the log began', async () => {
  const world = await fourDays();
  await sealFinished(keptOn(world));
  world.disk.remove(`${directory}/${first}`);
  world.clock.set(Date.UTC(2026, 1, 17) + 30 * day);
  const one = await prune(keptOn(world), means({ days: 30 }));
  assert.deepEqual([one.pruned.map(({ file }) => file), one.problems], [[second], []]);
  world.clock.advance(day);
  await prune(keptOn(world), means({ days: 30 }));
  const statement = newestStatement(world.disk, home, tlog, open);
  assert.deepEqual([statement?.first_seq, statement?.last_seq, statement?.entries], [4, 9, 6]);
});

test('other names in the folder, empty files and files of a day to come are left alone', async () => {
  const world = await fourDays();
  for (const name of ['test.jsonl', 'audit-2025-01-01.jsonl.bak', 'audit-2025-01-01.jsonl', 'notes.txt']) overwrite(world, `${directory}/${name}`, Buffer.from(name.includes('2025-01-01.jsonl') && !name.endsWith('.bak') ? '' : 'hello\n'));
  assert.deepEqual((await sealFinished(keptOn(world))).sealed, [first, second, third]);
  await compressSealed(keptOn(world));
  world.clock.advance(100 * day);
  const { pruned, problems } = await prune(keptOn(world), means({ days: 30 }));
  assert.deepEqual([pruned.length, problems], [3, []]);
  for (const name of ['test.jsonl', 'audit-2025-01-01.jsonl.bak', 'audit-2025-01-01.jsonl', 'notes.txt']) assert.ok(world.disk.stat(`${directory}/${name}`) !== undefined, name);
});

/** One round of everything: the files that are not young go. */
function round(world: World): Promise<RoundReport> {
  return keepRound(keptOn(world), { compress: true, prune: means({ days: 30 }) });
}

test('the power may go, or a call may fail, at every step: the next round finishes, and nothing is lost', async () => {
  const later = Date.UTC(2026, 1, 17) + 30 * day;
  const base = await fourDays();
  const acknowledged = entriesOn(base.disk).length;
  const dry = worldOn(base.files.restart('everything'), later);
  const before = dry.files.steps();
  await round(dry);
  const steps = dry.files.steps() - before;
  assert.ok(steps > 60, String(steps));
  for (let step = 1; step <= steps; step += stride(5)) {
    const [failing, dying] = [worldOn(base.files.restart('everything'), later), worldOn(base.files.restart('everything'), later)];
    failing.files.failAt(step, 'EIO');
    dying.files.cutAt(step);
    await round(failing).catch(() => undefined);
    await round(dying).catch((error: unknown) => { assert.ok(error instanceof Error); });
    for (const how of ['fail', ...leftovers] as const) {
      const where = `${how} at step ${step}`;
      const world = worldOn(how === 'fail' ? failing.files : dying.files.restart(how), later);
      for (const name of [third, fourth]) assert.ok(audits(world).some((there) => there.startsWith(name)), `${where}: ${name} is gone`);
      await round(world);
      const { problems } = await round(world);
      assert.deepEqual(problems, [], where);
      const firstSeq = assertChain(world.disk, where);
      assert.equal(firstSeq, 7, where);
      assert.ok(entriesOn(world.disk).length >= acknowledged - 6, where);
      assert.deepEqual(audits(world).filter((name) => /02-1[5-7]/.test(name)), [`${third}.gz`], where);
      assert.deepEqual(world.disk.list(directory).filter((name) => name.startsWith('.tmp-audit')), [], where);
      assert.equal(newestStatement(world.disk, home, tlog, open)?.last_seq, 6, where);
      assert.ok(eventsOn(world.disk, 'audit.prune').length >= 1, where);
      const vouched = new Set(eventsOn(world.disk, 'audit.rotate').map((entry) => String(entry['resource']).slice(5)));
      for (const name of [first, second, third, fourth]) if (readSeal(world.disk, home, tlog, name) !== undefined) assert.ok(vouched.has(name), `${where}: ${name} has a seal that nobody vouches for`);
    }
  }
});
