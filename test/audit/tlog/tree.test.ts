/** The tree of a log: that it grows right, goes on from whatever it finds, and refuses to sign what contradicts what it signed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyConsistency, verifyInclusion } from '../../../lib/base/merkle/proof.ts';
import { toBase64 } from '../../../lib/base/merkle/base64.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import { recordFiles } from '../../../lib/audit/tlog/chain-files.ts';
import { openTreeOf } from '../../../lib/audit/tlog/reader.ts';
import { chainOrigin, keepKeys, openKeys, readKnownKeys, signerOf } from '../../../lib/audit/tlog/key.ts';
import { sealLine } from '../../../lib/audit/chain.ts';
import type { ChainFiles } from '../../../lib/audit/tlog/follow.ts';
import type { Disk } from '../../../lib/ports.ts';
import { LokiError } from '../../../lib/errors.ts';
import { createTestClock, createTestLock, createTestRandom, realTimers } from '../../support/fakes.ts';
import { leftovers, PowerCut } from '../../support/fault-files.ts';
import { faultDisk } from '../../support/fault-files.ts';
import { directory, home, logOn } from '../support.ts';
import { allLines, append, assertCovers, checkpointOn, keyPlace, logWith, newDisk, overwrite, rootOfLines, someOrigin, text, tlog, treeOn } from './support.ts';
import { stride } from '../../support/long.ts';

const day = `${directory}/audit-2026-02-15.jsonl`;
const isTampered = (error: unknown): boolean => error instanceof LokiError && error.code === 'audit.tampered';

function reader(disk: Disk): ReturnType<typeof openTreeOf> {
  return openTreeOf('record', { disk, base: home, tlog, keysDirectory: '/home/keys' });
}

test('a checkpoint covers every line, the next one the lines since, and tiles give proofs of each', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 10);
  const tree = treeOn(disk);
  const first = await tree.advance();
  assert.equal(first.made, true);
  assertCovers(disk, 10);
  await append(log, 690);
  await tree.advance();
  assertCovers(disk, 700);
  const lines = allLines(disk);
  const read = reader(disk);
  const { root } = checkpointOn(disk);
  for (const index of [0, 1, 9, 255, 256, 511, 512, 600, 699]) {
    const proof = read.inclusionProof(index, 700);
    assert.equal(verifyInclusion({ leafHash: leafHash(Buffer.from(lines[index] ?? '')), index, size: 700, proof, root }), true, String(index));
  }
  const root1 = first.checkpoint?.root ?? assert.fail();
  assert.equal(verifyConsistency({ size1: 10, size2: 700, root1, root2: root, proof: read.consistencyProof(10, 700) }), true);
  for (const size of [1, 255, 256, 257, 511, 512, 699]) assert.equal(Buffer.from(read.rootAt(size)).toString('hex'), rootOfLines(lines, size), String(size));
  read.close();
});

test('with nothing new nothing is signed; what only tells of checkpoints is new for a heartbeat alone', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 5);
  const tree = treeOn(disk);
  const { note, checkpoint } = await tree.advance();
  assert.equal((await tree.advance()).made, false);
  const root = toBase64(checkpoint?.root ?? assert.fail());
  await log.append({ event: 'audit.checkpoint', actor: 'system', details: { chain: 'record', size: 5, root, reason: 'entries' } });
  const idle = await tree.advance();
  assert.deepEqual([idle.made, idle.note], [false, note]);
  assert.equal((await treeOn(disk).advance()).made, false, 'in another process too');
  assert.equal((await tree.advance({ all: true })).made, true);
  assertCovers(disk, 6);
  assert.equal((await tree.advance({ all: true })).made, false);
});

test('an empty log has no checkpoint', async () => {
  const { disk } = newDisk();
  const { made, checkpoint } = await treeOn(disk).advance();
  assert.deepEqual([made, checkpoint], [false, undefined]);
});

test('it goes on over files that turn, and where its state is lost, older, wrong or foreign', async () => {
  const { disk } = newDisk();
  const clock = createTestClock();
  const log = await logWith(disk, 300, { clock, maxFileBytes: 9000 });
  await treeOn(disk).advance();
  const old = text(disk, `${tlog}/state.json`);
  await append(log, 300);
  clock.advance(86_400_000);
  await append(log, 20);
  await treeOn(disk).advance();
  assertCovers(disk);
  const states = [undefined, old, '', '{', '[]', old.replace(/"offset":\d+/, '"offset":7'), old.replace(/"file":"[^"]*"/, '"file":"audit-1999-01-01.jsonl"'), old.replace(/"last_hash":"[^"]*"/, `"last_hash":"${'0'.repeat(64)}"`), JSON.stringify({ size: 'x' })];
  for (const state of states) {
    if (state === undefined) disk.remove(`${tlog}/state.json`);
    else overwrite(disk, `${tlog}/state.json`, state);
    await append(log, 3);
    assert.equal((await treeOn(disk).advance()).made, true, String(state));
    assertCovers(disk, allLines(disk).length);
  }
});

test('two processes that take turns at the tree make one tree', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 5);
  const trees = [treeOn(disk), treeOn(disk)];
  for (let turn = 0; turn < 12; turn += 1) {
    await append(log, 50);
    await trees[turn % 2]?.advance();
    assertCovers(disk, 5 + 50 * (turn + 1));
  }
});

test('tiles longer than the checkpoint are cut back to it; damaged or missing ones are made anew', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 600);
  await treeOn(disk).advance();
  const whole = [0, 1].map((level) => disk.read(`${tlog}/tile-${level}`, 1e6) ?? assert.fail());
  const [leaves = new Uint8Array(), above = new Uint8Array()] = whole;
  const damages: readonly (() => void)[] = [
    () => overwrite(disk, `${tlog}/tile-0`, Buffer.concat([leaves, Buffer.alloc(100)])),
    () => overwrite(disk, `${tlog}/tile-0`, Buffer.concat([leaves, leaves])),
    () => overwrite(disk, `${tlog}/tile-0`, leaves.subarray(0, leaves.length - 32)),
    () => overwrite(disk, `${tlog}/tile-1`, Buffer.alloc(above.length)),
    () => overwrite(disk, `${tlog}/tile-1`, Buffer.alloc(0)),
    () => disk.remove(`${tlog}/tile-1`),
    () => disk.remove(`${tlog}/tile-0`),
    () => overwrite(disk, `${tlog}/tile-0`, Buffer.alloc(leaves.length, 7)),
    () => { disk.remove(`${tlog}/tile-0`); disk.remove(`${tlog}/tile-1`); disk.remove(`${tlog}/state.json`); },
  ];
  for (const [at, damage] of damages.entries()) {
    damage();
    await append(log, 1);
    assert.equal((await treeOn(disk).advance()).made, true, `damage ${at}`);
    assertCovers(disk, 601 + at);
    const read = reader(disk);
    assert.equal(Buffer.from(read.rootAt(600)).toString('hex'), rootOfLines(allLines(disk), 600), `damage ${at}`);
    read.close();
    for (const [level, bytes] of whole.entries()) assert.deepEqual(disk.read(`${tlog}/tile-${level}`, 1e6)?.subarray(0, bytes.length), bytes, `damage ${at}, level ${level}`);
  }
});

test('the newest leaf, which the root of a whole tile does not need, is made anew too', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 512);
  await treeOn(disk).advance();
  const leaves = Buffer.from(disk.read(`${tlog}/tile-0`, 1e6) ?? assert.fail());
  overwrite(disk, `${tlog}/tile-0`, Buffer.concat([leaves.subarray(0, -32), Buffer.alloc(32)]));
  await append(log, 1);
  await treeOn(disk).advance();
  assertCovers(disk, 513);
  assert.deepEqual(Buffer.from(disk.read(`${tlog}/tile-0`, 1e6) ?? []).subarray(0, 512 * 32), leaves);
});

test('a damage inside the tree that no checkpoint shows is repaired when asked', async () => {
  const { disk } = newDisk();
  await logWith(disk, 600);
  const tree = treeOn(disk);
  await tree.advance();
  const leaves = disk.read(`${tlog}/tile-0`, 1e6) ?? assert.fail();
  const damaged = Buffer.from(leaves);
  damaged[32 * 5] = (damaged[32 * 5] ?? 0) ^ 1;
  overwrite(disk, `${tlog}/tile-0`, damaged);
  await tree.repair();
  assert.deepEqual(disk.read(`${tlog}/tile-0`, 1e6), leaves);
});

test('lines that were pruned are not needed; without their hashes nothing is signed', async () => {
  const { disk } = newDisk();
  const clock = createTestClock();
  const log = await logWith(disk, 300, { clock });
  await treeOn(disk).advance();
  clock.advance(86_400_000);
  await append(log, 5);
  const covered = checkpointOn(disk).size;
  const before = allLines(disk);
  disk.remove(day);
  for (const state of [true, false]) {
    if (!state) disk.remove(`${tlog}/state.json`);
    await append(log, 3);
    await treeOn(disk).advance();
  }
  const { size, root } = checkpointOn(disk);
  assert.ok(size > covered);
  assert.equal(Buffer.from(root).toString('hex'), rootOfLines([...before.slice(0, 300), ...allLines(disk)]));
  overwrite(disk, `${tlog}/tile-0`, '');
  await assert.rejects(treeOn(disk).advance(), (error: unknown) => error instanceof LokiError && error.code === 'audit.incomplete');
  disk.remove(`${tlog}/checkpoint`);
  disk.remove(`${tlog}/state.json`);
  await assert.rejects(treeOn(disk).advance(), (error: unknown) => error instanceof LokiError && error.code === 'audit.incomplete');
});

/** What somebody does to a log that was covered, after which nothing may be signed. */
async function attacked(attack: (disk: Disk, lines: readonly string[]) => void, covered = 20, more = 10): Promise<{ disk: Disk; before: string }> {
  const { disk } = newDisk();
  const log = await logWith(disk, covered);
  await treeOn(disk).advance();
  await append(log, more);
  await log.close();
  const before = text(disk, `${tlog}/checkpoint`);
  attack(disk, allLines(disk));
  return { disk, before };
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The lines chained anew after a change to one of them. */
function rewritten(lines: readonly string[], at: number): string {
  let previous = '0'.repeat(64);
  return lines.map((line, index) => {
    const json = `${line.slice(0, -81).replace('policy.allow', index === at ? 'policy.deny' : 'policy.allow')}}`;
    const sealed = sealLine(previous, json);
    previous = sealed.hash;
    return sealed.line;
  }).join('');
}

test('nothing is signed over a log that was cut, rewritten, edited, or begun again', async () => {
  const attacks: Readonly<Record<string, (disk: Disk, lines: readonly string[]) => void>> = {
    'cut below the checkpoint': (disk, lines) => overwrite(disk, day, joined(lines.slice(0, 15))),
    'removed': (disk) => disk.remove(day),
    'rewritten from an entry before the checkpoint': (disk, lines) => overwrite(disk, day, rewritten(lines, 5)),
    'rewritten, and the state with it': (disk, lines) => { overwrite(disk, day, rewritten(lines, 5)); disk.remove(`${tlog}/state.json`); },
    'edited after the checkpoint': (disk, lines) => overwrite(disk, day, joined(lines.map((line, at) => (at === 25 ? line.replace('allow', 'alloW') : line)))),
    'an entry gone after the checkpoint': (disk, lines) => overwrite(disk, day, joined(lines.filter((_, at) => at !== 25))),
    'an entry doubled after the checkpoint': (disk, lines) => overwrite(disk, day, joined([...lines.slice(0, 26), ...lines.slice(25)])),
    'an old entry put in again': (disk, lines) => overwrite(disk, day, joined([...lines.slice(0, 26), lines[3] ?? '', ...lines.slice(26)])),
    'two exchanged after the checkpoint': (disk, lines) => overwrite(disk, day, joined([...lines.slice(0, 24), lines[25] ?? '', lines[24] ?? '', ...lines.slice(26)])),
    'an empty line': (disk, lines) => overwrite(disk, day, `${joined(lines)}\n`),
    'CRLF': (disk, lines) => overwrite(disk, day, joined(lines).replaceAll('\n', '\r\n')),
    'seals taken away': (disk, lines) => overwrite(disk, day, joined(lines.map((line, at) => (at < 25 ? line : `${line.slice(0, -81)}}`)))),
    'a forged checkpoint': (disk) => overwrite(disk, `${tlog}/checkpoint`, text(disk, `${tlog}/checkpoint`).replace('\n20\n', '\n10\n')),
    'no checkpoint at all any more, but garbage': (disk) => overwrite(disk, `${tlog}/checkpoint`, 'nothing\n'),
  };
  for (const [what, attack] of Object.entries(attacks)) {
    const { disk } = await attacked(attack);
    const after = text(disk, `${tlog}/checkpoint`);
    await assert.rejects(treeOn(disk).advance({ all: true }), isTampered, what);
    assert.equal(text(disk, `${tlog}/checkpoint`), after, what);
  }
});

test('a checkpoint exchanged for an older one: the state, the second place or the log itself tells', async () => {
  const { disk } = newDisk();
  disk.ensureDirectory('/', '/copy', 0o700);
  const log = await logWith(disk, 10);
  const tree = treeOn(disk, { copyDirectory: '/copy' });
  await tree.advance();
  const older = text(disk, `${tlog}/checkpoint`);
  const oldState = text(disk, `${tlog}/state.json`);
  await append(log, 10);
  const { checkpoint } = await tree.advance();
  tree.close();
  await log.append({ event: 'audit.checkpoint', actor: 'system', details: { chain: 'record', size: 20, root: toBase64(checkpoint?.root ?? assert.fail()), reason: 'entries' } });
  await append(log, 5);
  await log.close();
  const lines = allLines(disk);
  const again = (log: string, state: string | undefined): void => {
    overwrite(disk, `${tlog}/checkpoint`, older);
    overwrite(disk, day, log);
    if (state === undefined) disk.remove(`${tlog}/state.json`);
    else overwrite(disk, `${tlog}/state.json`, state);
  };
  const newState = text(disk, `${tlog}/state.json`);
  again(joined(lines.slice(0, 15)), newState);
  await assert.rejects(treeOn(disk).advance(), isTampered, 'cut: the state tells');
  again(joined(lines.slice(0, 15)), oldState);
  await assert.rejects(treeOn(disk, { copyDirectory: '/copy' }).advance(), isTampered, 'cut: the second place tells');
  const changed = rewritten(lines, 12);
  again(changed, oldState);
  await assert.rejects(treeOn(disk, { copyDirectory: '/copy' }).advance(), isTampered, 'rewritten: the second place tells');
  await assert.rejects(treeOn(disk).advance(), isTampered, 'rewritten: the entry about the checkpoint tells');
  again(joined(lines), undefined);
  assert.equal((await treeOn(disk, { copyDirectory: '/copy' }).advance()).made, true, 'the log as it was: nothing is wrong');
  assertCovers(disk, 26);
});

test('without a checkpoint the tree is made anew from the log', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 300);
  await treeOn(disk).advance();
  const note = text(disk, `${tlog}/checkpoint`);
  for (const name of disk.list(tlog)) disk.remove(`${tlog}/${name}`);
  await treeOn(disk).advance();
  assert.equal(text(disk, `${tlog}/checkpoint`), note);
  await log.close();
});

test('a torn tail and zeros that a power cut left are not covered, and do not stop it', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 20);
  await log.close();
  const good = text(disk, day);
  for (const tail of ['{"seq":21,"timest', '\0\0\0\0', `\0\0\0\0\0"}\n{"seq":22,"timestamp":"x"}\n`]) {
    for (const name of disk.list(tlog)) disk.remove(`${tlog}/${name}`);
    overwrite(disk, day, good + tail);
    await treeOn(disk).advance();
    assert.equal(checkpointOn(disk).size, 20, JSON.stringify(tail));
  }
});

test('entries without hashes are covered where the log says that they carry none', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 20);
  await treeOn(disk).advance();
  await log.close();
  for (const integrity of [false, true, false]) {
    const next = logOn(disk, { integrity });
    await append(next, 30);
    await next.close();
    await treeOn(disk).advance();
    assertCovers(disk, allLines(disk).length);
  }
});

test('power cut or failure at each step: the next one goes on, and what was signed holds', async () => {
  const { files: origin } = newDisk();
  {
    const disk = faultDisk(origin);
    const log = await logWith(disk, 250);
    await treeOn(disk).advance();
    await append(log, 20);
    await log.close();
  }
  for (const what of ['cut', 'fail'] as const) {
    for (let step = 1; ; step += stride(3)) {
      const files = origin.restart('everything');
      const disk = faultDisk(files);
      if (what === 'cut') files.cutAt(step);
      else files.failAt(step, 'EIO');
      let ended = true;
      try {
        await treeOn(disk).advance();
      } catch (error) {
        ended = false;
        assert.ok(error instanceof PowerCut || error instanceof LokiError || (error instanceof Error && 'code' in error), String(error));
      }
      const done = ended && files.steps() < step;
      for (const leftover of what === 'cut' ? leftovers : ['everything' as const]) {
        const after = faultDisk(files.restart(leftover));
        assertCovers(after);
        const { made, checkpoint } = await treeOn(after).advance();
        assert.equal(checkpoint?.size, 270, `${what} at ${step}, ${leftover}, ${made}`);
        assertCovers(after, 270);
        const again = logOn(after);
        await append(again, 1);
        await again.close();
        await treeOn(after).advance();
        assertCovers(after, 271);
      }
      if (done) { assert.ok(step > 8, String(step)); break; }
    }
  }
});

/** A log in several files, without a tree: how many entries it has. */
async function longLog(disk: Disk, count = 250): Promise<number> {
  await (await logWith(disk, count, { maxFileBytes: 4000 })).close();
  assert.ok(recordFiles({ disk, base: home, directory, fileMode: 0o600 }).names().length > 5);
  return allLines(disk).length;
}

test('a long log is covered in parts, and between any two of them others have the trees to themselves', async () => {
  const { disk } = newDisk();
  const entries = await longLog(disk);
  disk.ensureDirectory('/', '/copy', 0o700);
  const lock = createTestLock();
  const sizes: number[] = [];
  const timers = { ...realTimers, async sleep() {
    await lock.acquire(0);
    sizes.push(checkpointOn(disk).size);
    assertCovers(disk);
    // Another process, which comes a part further.
    if (sizes.length === 2) await treeOn(disk, { partLeaves: 40, timers: { ...realTimers, sleep: () => Promise.reject(new PowerCut()) } }).advance().catch(() => undefined);
    lock.release();
  } };
  const tree = treeOn(disk, { lock, timers, partLeaves: 40, copyDirectory: '/copy' });
  const { made, keyMade, checkpoint } = await tree.advance();
  assert.deepEqual([made, keyMade, checkpoint?.size], [true, true, entries]);
  assert.ok(sizes.length >= 3 && sizes.every((size, at) => size >= (sizes[at - 1] ?? 0) + 40), String(sizes));
  assert.ok((sizes[2] ?? 0) >= (sizes[1] ?? 0) + 80, 'it went on from where the other stood');
  assertCovers(disk, entries);
  assert.equal((await tree.advance()).made, false);
  assert.equal((await treeOn(disk, { copyDirectory: '/copy', partLeaves: 40 }).advance()).made, false);
});

test('another process that finishes in between has made the last checkpoint', async () => {
  const { disk } = newDisk();
  const entries = await longLog(disk);
  const timers = { ...realTimers, async sleep() { await treeOn(disk).advance(); } };
  const { made, checkpoint } = await treeOn(disk, { timers, partLeaves: 100 }).advance();
  assert.deepEqual([made, checkpoint?.size], [false, entries]);
  assertCovers(disk, entries);
});

test('a long log whose parts end with its files, and lines that tell of checkpoints alone: it ends', async () => {
  const { disk } = newDisk();
  const entries = await longLog(disk);
  const { made, checkpoint } = await treeOn(disk, { partLeaves: 1 }).advance();
  assert.deepEqual([made, checkpoint?.size], [true, entries]);
  const log = logOn(disk);
  const root = toBase64(checkpoint?.root ?? assert.fail());
  await log.append({ event: 'audit.checkpoint', actor: 'system', details: { chain: 'record', size: entries, root, reason: 'entries' } });
  assert.equal((await treeOn(disk, { partLeaves: 2 }).advance()).made, false);
});

test('what the second place knows better is not signed past in parts', async () => {
  const { disk } = newDisk();
  await longLog(disk);
  disk.ensureDirectory('/', '/copy', 0o700);
  await treeOn(disk, { copyDirectory: '/copy' }).advance();
  for (const name of disk.list(tlog)) disk.remove(`${tlog}/${name}`);
  const newest = recordFiles({ disk, base: home, directory, fileMode: 0o600 }).names().at(-1) ?? assert.fail();
  const lines = text(disk, `${directory}/${newest}`).split('\n').slice(0, -1);
  assert.ok(lines.length > 2);
  // The last entry is another one, rightly sealed.
  const [before = '', last = ''] = lines.slice(-2);
  const hash = /"chain_hash":"([0-9a-f]{64})"/.exec(before)?.[1] ?? assert.fail();
  const { line } = sealLine(hash, `${last.slice(0, last.indexOf(',"chain_hash"')).replace('agent:x', 'agent:y')}}`);
  overwrite(disk, `${directory}/${newest}`, `${lines.slice(0, -1).join('\n')}\n${line}`);
  await assert.rejects(treeOn(disk, { copyDirectory: '/copy', partLeaves: 40 }).advance(), isTampered);
  assert.equal(disk.stat(`${tlog}/checkpoint`), undefined, 'nothing was signed on the way');
});

test('power cut at each step of covering a long log in parts: the next one goes on from the last part', async () => {
  const { files: origin } = newDisk();
  const entries = await longLog(faultDisk(origin), 100);
  const reached = new Set<number>();
  for (let step = 1; ; step += stride(5)) {
    const files = origin.restart('everything');
    files.cutAt(step);
    await treeOn(faultDisk(files), { partLeaves: 40 }).advance().catch((error: unknown) => assert.ok(error instanceof PowerCut || error instanceof LokiError, String(error)));
    const done = files.steps() < step;
    for (const leftover of leftovers) {
      const after = faultDisk(files.restart(leftover));
      const size = after.stat(`${tlog}/checkpoint`) === undefined ? 0 : checkpointOn(after).size;
      if (size > 0) assertCovers(after);
      reached.add(size);
      const { checkpoint } = await treeOn(after, { partLeaves: 40 }).advance();
      assert.equal(checkpoint?.size, entries, `cut at ${step}, ${leftover}`);
      assertCovers(after, entries);
    }
    if (done) break;
  }
  assert.ok(reached.size >= 4, `none, two parts, all: ${[...reached].join(' ')}`);
});

test('power cut at each step while the log\'s own writer is at work: nothing is signed that the disk does not hold', async () => {
  const { files: origin } = newDisk();
  const before = await logWith(faultDisk(origin), 250);
  await before.close();
  for (let step = 1; ; step += stride(5)) {
    const files = origin.restart('everything');
    const disk = faultDisk(files);
    files.cutAt(step);
    let acknowledged = 0;
    const log = logOn(disk, { maxFileBytes: 60_000, onAppended: (_, seq) => { acknowledged = seq; } });
    const tree = treeOn(disk, { acknowledged: () => acknowledged });
    try {
      for (let round = 0; round < 3; round += 1) {
        await append(log, 4);
        await tree.advance();
      }
    } catch (error) {
      assert.ok(error instanceof PowerCut || error instanceof LokiError, String(error));
    }
    const done = files.steps() < step;
    for (const leftover of leftovers) {
      const after = faultDisk(files.restart(leftover));
      if (after.stat(`${tlog}/checkpoint`) !== undefined) assertCovers(after);
      const { checkpoint } = await treeOn(after).advance();
      assert.ok((checkpoint?.size ?? 0) >= acknowledged, `cut at ${step}, ${leftover}`);
      assertCovers(after);
    }
    if (done) { assert.ok(step > 20, String(step)); break; }
  }
});

test('a copy at the second place is appended to; where it is gone, that is told once and nothing else fails', async () => {
  const { disk } = newDisk();
  disk.ensureDirectory('/', '/copy', 0o700);
  const log = await logWith(disk, 5);
  const failures: unknown[] = [];
  const tree = treeOn(disk, { copyDirectory: '/copy', onCopyFailed: (error) => failures.push(error) });
  await tree.advance();
  await append(log, 1);
  await tree.advance();
  const copied = text(disk, '/copy/example.com_loki_audit.checkpoints');
  assert.equal(copied.split('\nexample.com/loki/audit\n').length, 2);
  assert.equal(copied.endsWith(`${text(disk, `${tlog}/checkpoint`)}\n`), true);
  const nowhere = treeOn(disk, { copyDirectory: '/nowhere', onCopyFailed: (error) => failures.push(error) });
  for (let n = 0; n < 3; n += 1) { await append(log, 1); assert.equal((await nowhere.advance()).made, true); }
  assert.equal(failures.length, 1);
});

test('a writer that takes back what it began is waited for', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 10);
  await log.close();
  const files = { ...recordOf(disk), sync: () => overwrite(disk, day, joined(allLines(disk).slice(0, 8))) };
  await assert.rejects(treeOn(disk, { files }).advance(), (error: unknown) => error instanceof LokiError && error.code === 'io.failed');
  assert.equal(disk.stat(`${tlog}/checkpoint`), undefined);
});

test('lines whose writer is still at work are not signed before it has acknowledged them, or has taken them back', async () => {
  for (const ending of ['acknowledged', 'taken back'] as const) {
    const { disk } = newDisk();
    const log = await logWith(disk, 10);
    await log.close();
    const lines = allLines(disk);
    const writers = createTestLock();
    await writers.acquire(0);
    const advanced = treeOn(disk, { writers }).advance().then(({ checkpoint }) => checkpoint?.size, (error: unknown) => error);
    for (let turn = 0; turn < 20; turn += 1) await realTimers.yield();
    assert.equal(disk.stat(`${tlog}/checkpoint`), undefined, 'it waits');
    if (ending === 'taken back') overwrite(disk, day, joined(lines.slice(0, 8)));
    writers.release();
    const came = await advanced;
    if (ending === 'acknowledged') assert.equal(came, 10);
    else assert.ok(came instanceof LokiError && came.code === 'io.failed' && disk.stat(`${tlog}/checkpoint`) === undefined, String(came));
    assert.equal((await treeOn(disk, { writers }).advance()).checkpoint?.size, ending === 'acknowledged' ? 10 : 8);
  }
});

test('what this process\'s own log has acknowledged is waited for no more, and not synced again; what others wrote after it is', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 10);
  let [taken, synced] = [0, 0];
  const lock = createTestLock();
  const writers = { ...lock, acquire: (timeoutMs: number) => { taken += 1; return lock.acquire(timeoutMs); } };
  const files = { ...recordOf(disk), sync: () => { synced += 1; } };
  let acknowledged = 10;
  const tree = treeOn(disk, { writers, files, acknowledged: () => acknowledged });
  await tree.advance();
  assert.deepEqual([taken, synced], [0, 0]);
  await append(log, 5);
  await tree.advance();
  assert.deepEqual([taken, synced], [1, 1]);
  acknowledged = 16;
  await append(log, 1);
  await tree.advance();
  assert.deepEqual([taken, synced], [1, 1]);
  assertCovers(disk, 16);
});

test('while a checkpoint is made, others have their turn between any two files that are synced', async () => {
  const { files } = newDisk();
  const steps: string[] = [];
  const noted = { ...files, sync: (handle: number) => { steps.push('sync'); files.sync(handle); } };
  const disk = faultDisk(noted);
  const log = await logWith(disk, 600);
  await treeOn(disk).advance();
  await append(log, 600);
  steps.length = 0;
  await treeOn(disk, { acknowledged: () => 1200, timers: { ...realTimers, yield: () => { steps.push('turn'); return realTimers.yield(); } } }).advance();
  const syncs = steps.filter((step) => step === 'sync').length;
  assert.ok(syncs >= 3, `two levels of hashes and the checkpoint: ${syncs}`);
  assert.doesNotMatch(steps.join(' '), /sync sync/);
});

test('where it stands cannot be written down: the checkpoint is made all the same', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 10);
  const full: Disk = { ...disk, replace(base, path, bytes, mode) {
    if (path.endsWith('state.json')) throw new LokiError('io.failed', { attempted: 'write', found: 'ENOSPC' });
    disk.replace(base, path, bytes, mode);
  } };
  const tree = treeOn(full);
  assert.equal((await tree.advance()).made, true);
  await append(log, 5);
  assert.equal((await tree.advance()).made, true);
  tree.close();
  assertCovers(disk, 15);
});

test('a process that ends does not take back what another one has written down since', async () => {
  const { disk } = newDisk();
  const log = await logWith(disk, 200);
  const sizeWritten = (): unknown => JSON.parse(text(disk, `${tlog}/state.json`)).size;
  const [first, second] = [treeOn(disk), treeOn(disk)];
  await first.advance();
  await append(log, 200);
  await first.advance();
  assert.equal(sizeWritten(), 200, 'the second time within a second it is not written');
  await append(log, 200);
  await second.advance();
  first.close();
  assert.equal(sizeWritten(), 600);
  await append(log, 200);
  await second.advance();
  second.close();
  assert.equal(sizeWritten(), 800);
});

test('a key that is kept is understood again when its file says something else', async () => {
  const { disk } = newDisk();
  const keys = keepKeys(keyPlace(disk), someOrigin, createTestRandom());
  const made = keys();
  assert.deepEqual([made.made, keys().made, keys().signer.key.vkey], [true, false, made.signer.key.vkey]);
  assert.equal(keys(), keys(), 'not parsed again');
  disk.remove('/home/keys/checkpoint.key');
  const other = keys();
  assert.deepEqual([other.made, other.known.length], [true, 2]);
  assert.notEqual(other.signer.key.vkey, made.signer.key.vkey);
  overwrite(disk, '/home/keys/checkpoint.key', 'nonsense\n');
  assert.throws(keys, LokiError);
});

function recordOf(disk: Disk): ChainFiles {
  return { names: () => ['audit-2026-02-15.jsonl'], open: (name) => disk.openRead(`${directory}/${name}`), sync: () => undefined };
}

test('the key: made once, 0600, kept when the host is called otherwise, another when another name is chosen', async () => {
  const { disk } = newDisk();
  const random = createTestRandom();
  const first = openKeys(keyPlace(disk), { name: 'my host+1', chosen: false }, random);
  assert.deepEqual([first.made, first.signer.key.name], [true, 'my-host-1/loki/audit']);
  assert.equal((disk.stat('/home/keys/checkpoint.key')?.mode ?? 0) & 0o777, 0o600);
  const again = openKeys(keyPlace(disk), { name: 'otherhost', chosen: false }, random);
  assert.deepEqual([again.made, again.signer.key.vkey], [false, first.signer.key.vkey]);
  const chosen = openKeys(keyPlace(disk), someOrigin, random);
  assert.deepEqual([chosen.made, chosen.signer.key.name, chosen.known.length], [true, 'example.com/loki/audit', 2]);
  assert.notDeepEqual(chosen.signer.key.publicKey, first.signer.key.publicKey);
  assert.equal(text(disk, '/home/keys/checkpoint.vkey'), `${first.signer.key.vkey}\n${chosen.signer.key.vkey}\n`);
  assert.deepEqual(readKnownKeys(keyPlace(disk)).map(({ vkey }) => vkey), [first.signer.key.vkey, chosen.signer.key.vkey]);
  const agent = signerOf(chosen.signer, 'agent:prj_1');
  assert.equal(agent.key.name, chainOrigin('example.com', 'agent:prj_1'));
  assert.deepEqual(agent.key.publicKey, chosen.signer.key.publicKey);
  overwrite(disk, '/home/keys/checkpoint.key', 'nonsense\n');
  assert.throws(() => openKeys(keyPlace(disk), someOrigin, random), LokiError);
  disk.remove('/home/keys/checkpoint.key');
  assert.equal(openKeys(keyPlace(disk), someOrigin, random).known.length, 3);
});

test('a log goes on under another name, and its older checkpoints are still believed', async () => {
  const { disk } = newDisk();
  const random = createTestRandom();
  const log = await logWith(disk, 5);
  await treeOn(disk).advance();
  await append(log, 5);
  const { checkpoint } = await treeOn(disk, { keys: () => openKeys(keyPlace(disk), { name: 'another.example', chosen: true }, random) }).advance();
  assert.deepEqual([checkpoint?.origin, checkpoint?.size], ['another.example/loki/audit', 10]);
  assertCovers(disk, 10);
});

test('ending it early leaves nothing half done', async () => {
  const { disk } = newDisk();
  await logWith(disk, 5);
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(treeOn(disk).advance({ signal: stop.signal }));
  await treeOn(disk, { timers: realTimers }).advance();
  assertCovers(disk, 5);
});
