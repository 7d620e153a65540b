/** Reading onwards from a position, whatever becomes of the files. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { sha256Hex } from '../../../lib/base/digest.ts';
import type { Position } from '../../../lib/audit/forward/cursor.ts';
import { firstPosition, oldestPosition, readOn, type Reading } from '../../../lib/audit/forward/reader.ts';
import type { Disk } from '../../../lib/ports.ts';
import { directory, home } from '../support.ts';
import { makeScene, type Scene } from './support.ts';

const limits = { lines: 1000, bytes: 1 << 20 };
const none: Position = { seq: 0, file: null, offset: 0, hash: null };
const [dayOne, dayTwo] = ['audit-2026-02-15.jsonl', 'audit-2026-02-16.jsonl'];

const seqsOf = ({ lines }: Reading): readonly number[] => lines.map(({ seq }) => seq);
const read = (disk: Disk, from: Position, most = limits): Reading => readOn(disk, directory, from, most);

function bytesOf(disk: Disk, name: string): Buffer {
  return Buffer.from(disk.read(`${directory}/${name}`, 1e9) ?? []);
}

function put(disk: Disk, name: string, bytes: Uint8Array | string): void {
  disk.ensureDirectory(home, directory, 0o700);
  disk.replace(home, `${directory}/${name}`, Buffer.from(bytes), 0o600);
}

/** Entries 1 to 4 on the first day, 5 to 8 on the second. */
async function twoDays(): Promise<Scene> {
  const scene = makeScene();
  await scene.add(3);
  scene.clock.advance(86_400_000);
  await scene.add(3);
  return scene;
}

function after(disk: Disk, seq: number): Position {
  const reading = read(disk, none);
  return reading.positions[seq - 1] ?? assert.fail(`there is no entry ${seq}`);
}

test('entries follow each other over files, in pieces of any size', async () => {
  const { disk } = await twoDays();
  assert.deepEqual(seqsOf(read(disk, none)), [1, 2, 3, 4, 5, 6, 7, 8]);
  for (const most of [1, 2, 3, 5]) {
    const found: number[] = [];
    for (let at = none; ;) {
      const reading = read(disk, at, { ...limits, lines: most });
      if (reading.lines.length === 0) break;
      found.push(...seqsOf(reading));
      assert.ok(reading.lines.length <= most);
      at = reading.positions.at(-1) ?? none;
    }
    assert.deepEqual(found, [1, 2, 3, 4, 5, 6, 7, 8]);
  }
  assert.equal(read(disk, none, { ...limits, bytes: 1 }).lines.length, 1);
});

test('a position says where the line before it ends, and what that line is', async () => {
  const { disk } = await twoDays();
  const lines = bytesOf(disk, dayOne).toString('utf8').split('\n');
  assert.deepEqual(after(disk, 2), { seq: 2, file: dayOne, offset: Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`), hash: sha256Hex(lines[1] ?? '') });
});

test('a receiver that was never served begins with the newest file, or with the oldest when nobody knows', async () => {
  const { disk } = await twoDays();
  assert.deepEqual(firstPosition(disk, directory), { seq: 4, file: dayTwo, offset: 0, hash: null });
  assert.deepEqual(seqsOf(read(disk, firstPosition(disk, directory))), [5, 6, 7, 8]);
  assert.deepEqual(seqsOf(read(disk, oldestPosition(disk, directory))), [1, 2, 3, 4, 5, 6, 7, 8]);
  const empty = makeScene();
  assert.deepEqual(firstPosition(empty.disk, directory), none);
  assert.deepEqual(read(empty.disk, none).lines, []);
});

test('a file that is compressed meanwhile is read on where it was', async () => {
  const { disk } = await twoDays();
  const at = after(disk, 2);
  put(disk, `${dayOne}.gz`, gzipSync(bytesOf(disk, dayOne)));
  assert.deepEqual(seqsOf(read(disk, at)), [3, 4, 5, 6, 7, 8], 'beside the plain one');
  disk.remove(`${directory}/${dayOne}`);
  const { missing, replaced } = read(disk, at);
  assert.deepEqual([seqsOf(read(disk, at)), missing, replaced], [[3, 4, 5, 6, 7, 8], undefined, undefined]);
});

test('a line that is not finished waits', async () => {
  const { disk } = await twoDays();
  const whole = bytesOf(disk, dayTwo);
  put(disk, dayTwo, whole.subarray(0, -5));
  const reading = read(disk, after(disk, 4));
  assert.deepEqual(seqsOf(reading), [5, 6, 7]);
  put(disk, dayTwo, whole);
  assert.deepEqual(seqsOf(read(disk, reading.positions.at(-1) ?? none)), [8]);
});

test('files that were pruned are a gap that is counted; none when they had been read', async () => {
  const { disk } = await twoDays();
  const [unread, finished] = [after(disk, 1), after(disk, 4)];
  disk.remove(`${directory}/${dayOne}`);
  assert.deepEqual(read(disk, unread).missing, { first: 2, last: 4 });
  assert.deepEqual(seqsOf(read(disk, unread)), [5, 6, 7, 8]);
  assert.equal(read(disk, finished).missing, undefined);
  assert.equal(read(disk, finished).replaced, undefined);
  disk.remove(`${directory}/${dayTwo}`);
  assert.deepEqual(read(disk, unread), { lines: [], positions: [], missing: undefined, replaced: undefined });
});

test('entries taken out of the middle are told apart from those before them', async () => {
  const { disk } = await twoDays();
  const lines = bytesOf(disk, dayTwo).toString('utf8').split('\n');
  put(disk, dayTwo, [lines[0], lines[2], lines[3], ''].join('\n'));
  const first = read(disk, none);
  assert.deepEqual([seqsOf(first), first.missing], [[1, 2, 3, 4, 5], undefined]);
  const second = read(disk, first.positions.at(-1) ?? none);
  assert.deepEqual([seqsOf(second), second.missing], [[7, 8], { first: 6, last: 6 }]);
});

test('another log in the place of the one that was read is read from the start of its file', async () => {
  const { disk } = await twoDays();
  const at = after(disk, 7);
  const other = makeScene();
  other.clock.advance(86_400_000);
  await other.add(5, { other: 'log' });
  put(disk, dayTwo, bytesOf(other.disk, dayTwo));
  disk.remove(`${directory}/${dayOne}`);
  const reading = read(disk, at);
  assert.deepEqual([seqsOf(reading), reading.replaced], [[1, 2, 3, 4, 5, 6], dayTwo]);
  put(disk, dayTwo, '');
  assert.deepEqual(read(disk, at), { lines: [], positions: [], missing: undefined, replaced: undefined });
});

test('lines that are no entries, of any length, are passed by and told', () => {
  const { disk } = makeScene();
  const good = (seq: number): string => `{"seq":${seq},"event":"x"}`;
  put(disk, dayOne, Buffer.concat([Buffer.from(`${good(1)}\n\n\0\u00ff\n`, 'latin1'), Buffer.alloc(900_000, 'x'), Buffer.from(`\n${good(2)}\n`), Buffer.alloc(700_000, 'y')]));
  const reading = read(disk, none);
  assert.deepEqual(reading.lines.map(({ seq, length, bytes }) => [seq, length, bytes.length]), [[1, 21, 21], [-1, 0, 0], [-1, 2, 2], [-1, 900_000, 0], [2, 21, 21]]);
  reading.positions.forEach((position, at) => assert.equal(read(disk, position).lines.length, 4 - at, `after line ${at}`));
});
