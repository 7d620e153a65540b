/** The courier takes over what lies there, loses nothing when it dies in between, and keeps an account over restarts. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { dropRows, readAccount } from '../../../lib/app/telemetry/account.ts';
import { createCourier, type Courier } from '../../../lib/app/telemetry/courier.ts';
import { look } from '../../../lib/app/telemetry/handover-names.ts';
import { handOver, noteDrops } from '../../../lib/app/telemetry/handover.ts';
import type { CountDrops } from '../../../lib/telemetry/batch.ts';
import type { StandingDestination } from '../../../lib/telemetry/export/options.ts';
import { realTimers } from '../../support/fakes.ts';
import { batch, keepingDestination, telemetryRoom, type TelemetryRoom } from '../../support/telemetry-room.ts';

function courierOf({ place, account, clock }: TelemetryRoom, destinations: readonly StandingDestination[], hear?: (count: CountDrops) => void): Courier {
  return createCourier({
    kind: 'worker', place, account, clock, timers: realTimers, facts: { pid: 7 },
    destinations(count) {
      hear?.(count);
      return destinations;
    },
  });
}

const words = (bodies: readonly string[]): readonly string[] => bodies.map((body) => JSON.parse(body).word);

test('what is handed over reaches every destination that wants it, in order, once', async (t) => {
  const room = telemetryRoom(t);
  const { place, clock } = room;
  for (const word of ['a', 'b', 'c']) {
    handOver(place, batch('traces', word), 'cumulative');
    clock.advance(1);
  }
  handOver(place, batch('logs', 'log'), 'cumulative');
  clock.advance(1);
  handOver(place, batch('metrics', 'cumulative'), 'cumulative');
  handOver(place, batch('metrics', 'delta'), 'delta');
  const all = keepingDestination(place.files, 'all');
  const spans = keepingDestination(place.files, 'spans', ['traces']);
  const deltas = keepingDestination(place.files, 'deltas', ['metrics'], 'delta');
  const courier = courierOf(room, [all, spans, deltas]);
  assert.equal(await courier.sweep(), 6);
  assert.equal(await courier.sweep(), 0);
  assert.deepEqual(words(all.got).slice(0, 4), ['a', 'b', 'c', 'log']);
  assert.deepEqual(words(all.got).slice(4), ['cumulative']);
  assert.deepEqual([words(spans.got), words(deltas.got)], [['a', 'b', 'c'], ['delta']]);
  assert.deepEqual(readdirSync(place.folder), []);
  courier.offer(batch('metrics', 'own'), 'delta');
  assert.deepEqual([words(deltas.got), words(all.got).length], [['delta', 'own'], 5]);
});

test('a destination that cannot take one now keeps the file where it is, and the others do not get it twice', async (t) => {
  const room = telemetryRoom(t);
  const { place, clock } = room;
  for (const word of ['a', 'b']) {
    handOver(place, batch('traces', word), 'cumulative');
    clock.advance(1);
  }
  const [good, full] = [keepingDestination(place.files, 'good'), keepingDestination(place.files, 'full')];
  full.takes = false;
  const courier = courierOf(room, [good, full]);
  for (let time = 0; time < 3; time += 1) assert.equal(await courier.sweep(), 0);
  assert.deepEqual([words(good.got), words(full.got), look(place).batches.length], [['a'], [], 2]);
  full.takes = true;
  assert.equal(await courier.sweep(), 2);
  assert.deepEqual([words(good.got), words(full.got), look(place).batches.length], [['a', 'b'], ['a', 'b'], 0]);
});

test('the account goes on over restarts: taken over, delivered, dropped by signal and reason', async (t) => {
  const room = telemetryRoom(t);
  const { place, account, clock } = room;
  for (let life = 0; life < 2; life += 1) {
    handOver(place, batch('traces', 'a', 5), 'cumulative');
    noteDrops(place, 'logs', 'queue_full', 2);
    let count: CountDrops = () => undefined;
    const courier = courierOf(room, [keepingDestination(place.files, 'one')], (given) => { count = given; });
    await courier.sweep();
    await courier.sweep();
    count('traces', 'refused', 10);
    courier.save();
    assert.deepEqual(readdirSync(place.folder), [], 'notes go once they are counted and kept');
    clock.advance(5_000);
    await courier.close(100);
  }
  const kept = readAccount(account);
  assert.deepEqual(kept === undefined ? undefined : dropRows(kept.dropped), [['traces', 'refused', 20], ['logs', 'queue_full', 4]]);
  assert.deepEqual([kept?.takenOver, kept?.delivered['traces'], kept?.courier.kind, kept?.courier.pid], [{ batches: 2, items: 10 }, 2, 'worker', 7]);
  assert.equal(kept?.courier.ended, clock.now());
  assert.equal(statSync(account.path).mode & 0o777, 0o600);
});

test('one that dies before it has kept its account leaves the notes for the next', async (t) => {
  const room = telemetryRoom(t);
  noteDrops(room.place, 'logs', 'disk', 2);
  await courierOf(room, []).sweep();
  const next = courierOf(room, []);
  await next.sweep();
  assert.deepEqual(dropRows(next.read().dropped), [['logs', 'disk', 2]]);
});

test('the account is written when something has changed, and not more often than every few seconds', async (t) => {
  const room = telemetryRoom(t);
  const { account, clock, place } = room;
  const one = keepingDestination(place.files, 'one');
  const courier = courierOf(room, [one]);
  courier.save();
  const first = readFileSync(account.path, 'utf8');
  courier.offer(batch('traces', 'a'), 'cumulative');
  courier.save();
  assert.equal(readFileSync(account.path, 'utf8'), first);
  clock.advance(3_000);
  courier.save();
  const second = readFileSync(account.path, 'utf8');
  assert.notEqual(second, first);
  clock.advance(60_000);
  courier.save();
  assert.equal(readFileSync(account.path, 'utf8'), second, 'nothing to tell');
});

for (const [what, text] of [
  ['empty', ''], ['no JSON', '{"at":'], ['another shape', '[]'], ['numbers that are none', '{"at":1e400,"courier":{}}'], ['deep', '['.repeat(100_000)], ['huge', `{"x":"${'y'.repeat(300_000)}"}`],
  ['hostile members', JSON.stringify({ at: 1, courier: { kind: 'x', pid: 1, since: 1, ended: null }, dropped: { traces: { refused: -1, made_up: 5, disk: '7' }, profiles: { disk: 1 } }, delivered: { traces: 'x' }, destinations: [1, null, { name: 'a' }, { name: 'b', waiting: { files: 'x' }, signals: {} }] })],
] as const) {
  test(`an account that cannot be believed is as if it were not there: ${what}`, async (t) => {
    const room = telemetryRoom(t);
    const courier = courierOf(room, []);
    courier.save(true);
    writeFileSync(room.account.path, text);
    const next = courierOf(room, []);
    assert.deepEqual([dropRows(next.read().dropped), next.read().takenOver], [[], { batches: 0, items: 0 }]);
    next.save(true);
    assert.deepEqual(readAccount(room.account)?.destinations, []);
    await next.close(10);
  });
}

test('where the home cannot be written nothing is thrown, and the account is told from memory', async (t) => {
  const room = telemetryRoom(t);
  writeFileSync(`${room.home}/spool`, 'a file where the folder should be');
  const courier = courierOf(room, [keepingDestination(room.place.files, 'one')]);
  courier.countDrops('traces', 'disk', 1);
  courier.save(true);
  assert.equal(await courier.sweep(), 0);
  await courier.close(10);
  assert.deepEqual(dropRows(courier.read().dropped), [['traces', 'disk', 1]]);
  assert.equal(existsSync(room.account.path), false);
});

test('of an account that somebody has written, no destination is believed whose stand is not whole', (t) => {
  const room = telemetryRoom(t);
  const signal = { state: 'direct', delivered: 1, dropped: { disk: 2 }, lastSuccess: { at: 1, words: 'it answered 200' }, lastFailure: null, lastWarning: null, failures: 0, nextTry: null };
  const stand = { name: 'x', kind: 'otlp', state: 'direct', waiting: { items: 1, files: 0, fileBytes: 0, batches: 0, batchBytes: 0, oldest: null }, signals: { traces: signal }, disk: null };
  const standsOf = (...destinations: readonly object[]): number | undefined => {
    mkdirSync(dirname(room.account.path), { recursive: true });
    writeFileSync(room.account.path, JSON.stringify({ at: 1, courier: { kind: 'x', pid: 1, since: 1, ended: null }, destinations }), { mode: 0o600 });
    return readAccount(room.account)?.destinations.length;
  };
  const withSignal = (more: object): object => ({ ...stand, signals: { traces: { ...signal, ...more } } });
  assert.equal(standsOf(stand, withSignal({ ofANewerVersion: true })), 2);
  const forged: readonly object[] = [
    { ...stand, state: 'asleep' }, { ...stand, kind: undefined }, { ...stand, disk: 7 }, { ...stand, disk: { at: 'now', words: 'x' } }, { ...stand, waiting: {} }, { ...stand, signals: { profiles: signal } }, { ...stand, signals: { traces: {} } },
    ...[{ lastSuccess: 5 }, { lastFailure: {} }, { lastWarning: { at: 1, words: 7 } }, { lastWarning: undefined }, { failures: -1 }, { nextTry: 'never' }, { dropped: 7 }, { dropped: { boredom: 1 } }, { dropped: { disk: 'many' } }].map(withSignal),
  ];
  for (const one of forged) assert.equal(standsOf(one), 0, JSON.stringify(one));
});
