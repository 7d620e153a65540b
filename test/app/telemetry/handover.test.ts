/** What is handed over lies there whole and bounded, the oldest gives way, and what was dropped is told. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { look } from '../../../lib/app/telemetry/handover-names.ts';
import { handOver, noteDrops } from '../../../lib/app/telemetry/handover.ts';
import { readSpoolName } from '../../../lib/telemetry/export/spool-name.ts';
import { batch, telemetryRoom } from '../../support/telemetry-room.ts';

test('a batch is a private file of one line, and its name says what is in it', (t) => {
  const { place } = telemetryRoom(t);
  handOver(place, batch('traces', 'é', 3), 'cumulative');
  handOver(place, batch('metrics', 'm', 4), 'delta');
  const { batches, drops } = look(place);
  assert.deepEqual(batches.map(({ signal, items, temporality, madeMs }) => [signal, items, temporality, madeMs]).toSorted(), [['metrics', 4, 'delta', place.clock.now()], ['traces', 3, undefined, place.clock.now()]]);
  assert.deepEqual(drops, []);
  for (const { name, bytes } of batches) {
    const path = join(place.folder, name);
    assert.equal(statSync(path).size, bytes);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, 'utf8'), /^\{[^\n]*\}\n$/);
    assert.notEqual(readSpoolName(name), undefined, 'a destination can take it over');
  }
  assert.equal(statSync(place.folder).mode & 0o777, 0o700);
});

test('past the bound of files the oldest go, and are told', (t) => {
  const { place, clock } = telemetryRoom(t);
  for (let count = 0; count < 7; count += 1) {
    handOver(place, batch('logs', String(count), 2), 'cumulative', { files: 4, bytes: 1 << 20 });
    clock.advance(1000);
  }
  const { batches, drops } = look(place);
  assert.deepEqual(batches.map(({ name }) => JSON.parse(readFileSync(join(place.folder, name), 'utf8')).word), ['3', '4', '5', '6']);
  assert.equal(drops.reduce((sum, { items }) => sum + items, 0), 6);
  assert.deepEqual(new Set(drops.map(({ signal, reason }) => `${signal} ${reason}`)), new Set(['logs spool_full']));
});

test('a folder that somebody filled holds up nobody: it becomes smaller by and by', (t) => {
  const { place } = telemetryRoom(t);
  mkdirSync(place.folder, { recursive: true });
  for (let at = 0; at < 1000; at += 1) writeFileSync(join(place.folder, `${1771165800000 + at}-0a1b2c3d4e5fx2-1.traces.jsonl`), 'x\n');
  const left = [1, 2, 3, 4, 5].map((count) => {
    handOver(place, batch('logs', String(count)), 'cumulative', { files: 10, bytes: 1 << 20 });
    return look(place).batches.length;
  });
  assert.ok(left.every((count, at) => count > 1000 - 257 * (at + 1)), String(left));
  assert.equal(left.at(-1), 10);
  assert.equal(look(place).drops.reduce((sum, { items }) => sum + items, 0), 995);
});

test('past the bound of bytes the oldest go; what alone is larger is not written', (t) => {
  const { place, clock } = telemetryRoom(t);
  const long = 'x'.repeat(400);
  for (const word of ['a', 'b', 'c']) {
    handOver(place, batch('traces', word + long), 'cumulative', { files: 100, bytes: 1000 });
    clock.advance(1);
  }
  handOver(place, batch('traces', 'y'.repeat(1000), 5), 'cumulative', { files: 100, bytes: 1000 });
  const { batches, drops } = look(place);
  assert.equal(batches.length, 2);
  assert.deepEqual(drops.map(({ reason, items }) => [reason, items]).toSorted(), [['spool_full', 1], ['too_large', 5]]);
});

test('names of nobody\'s take no room, whatever lengths they claim', (t) => {
  const { place } = telemetryRoom(t);
  handOver(place, batch('traces', 'first'), 'cumulative');
  for (let count = 0; count < 8; count += 1) writeFileSync(join(place.folder, `1000000000000-${String(count).padStart(12, '0')}x999999999-1.nothing.jsonl`), '');
  handOver(place, batch('traces', 'second'), 'cumulative', { files: 2, bytes: 1000 });
  const { batches, drops } = look(place);
  assert.deepEqual([batches.length, drops.length], [2, 0]);
});

test('many notes of drops become one, and none is lost', (t) => {
  const { place } = telemetryRoom(t);
  for (let count = 0; count < 200; count += 1) noteDrops(place, 'traces', 'queue_full', 1);
  noteDrops(place, 'logs', 'disk', 3);
  noteDrops(place, 'logs', 'disk', 0);
  const { drops } = look(place);
  assert.ok(drops.length <= 66, String(drops.length));
  assert.equal(drops.filter(({ signal }) => signal === 'traces').reduce((sum, { items }) => sum + items, 0), 200);
});

test('notes that say impossible numbers are added up to one that can still be read', (t) => {
  const { place } = telemetryRoom(t);
  for (let count = 0; count < 65; count += 1) noteDrops(place, 'traces', 'queue_full', 999_999_999_999_999);
  assert.ok(look(place).drops.length < 65);
  assert.equal(readdirSync(place.folder).length, look(place).drops.length, 'no name is left that nobody reads');
});

test('names and files that are none of ours are left alone', (t) => {
  const { place } = telemetryRoom(t);
  mkdirSync(place.folder, { recursive: true });
  const names = ['.tmp-1', 'x', '1771165800000-0a1b2c3d4e5fx12-1.traces.jsonl.bak', '9'.repeat(400), '1771165800000-0a1b2c3d4e5f-5.traces.nonsense.dropped', '1771165800000-0a1b2c3d4e5f-1.profiles.disk.dropped', '1771165800000-ffffx-1.traces.jsonl'];
  for (const name of names.filter(({ length }) => length < 200)) writeFileSync(join(place.folder, name), 'x');
  assert.deepEqual(look(place), { batches: [], drops: [] });
  handOver(place, batch('traces', 'a'), 'cumulative', { files: 1, bytes: 1 << 20 });
  handOver(place, batch('traces', 'b'), 'cumulative', { files: 1, bytes: 1 << 20 });
  assert.equal(readdirSync(place.folder).filter((name) => names.includes(name)).length, names.length - 1);
});

test('a folder that cannot be written, or is a link to elsewhere, holds nobody up', (t) => {
  const { place, home } = telemetryRoom(t);
  const elsewhere = join(home, 'elsewhere');
  mkdirSync(elsewhere);
  mkdirSync(dirname(place.folder), { recursive: true });
  symlinkSync(elsewhere, place.folder);
  handOver(place, batch('traces', 'a'), 'cumulative');
  assert.deepEqual(readdirSync(elsewhere), []);
  const theirs = join(elsewhere, '.tmp-of somebody else');
  writeFileSync(theirs, 'x');
  utimesSync(theirs, 1, 1);
  assert.deepEqual(place.files.list(place.folder), []);
  assert.deepEqual(readdirSync(elsewhere).length, 1, 'what lies there is not tidied up');
  const other = telemetryRoom(t);
  writeFileSync(join(other.home, 'spool'), 'a file where the folder should be');
  handOver(other.place, batch('traces', 'a'), 'cumulative');
  assert.deepEqual(look(other.place), { batches: [], drops: [] });
  const third = telemetryRoom(t);
  mkdirSync(third.place.folder, { recursive: true });
  chmodSync(third.place.folder, 0o500);
  handOver(third.place, batch('traces', 'a'), 'cumulative');
  if (process.getuid?.() !== 0) assert.deepEqual(look(third.place).batches, []);
  chmodSync(third.place.folder, 0o700);
});
