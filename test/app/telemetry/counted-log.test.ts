/** Entries of the log count once in an installation, whichever process counts and however it ends. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openCountedLog, type Counted, type CountedLog } from '../../../lib/app/telemetry/counted-log.ts';
import { addFamilies, subtractFamilies } from '../../../lib/app/telemetry/families.ts';
import type { MetricFamily } from '../../../lib/base/metric.ts';
import { realTimers } from '../../support/fakes.ts';
import { telemetryRoom, type TelemetryRoom } from '../../support/telemetry-room.ts';

interface Line {
  readonly event: string;
  readonly details?: unknown;
  readonly resource?: string;
  readonly at?: number;
}

interface Log extends TelemetryRoom {
  write(...lines: readonly Line[]): void;
  open(newFrom?: number): CountedLog;
  readonly path: string;
}

function logIn(t: { after(undo: () => void): void }): Log {
  const room = telemetryRoom(t);
  const folder = join(room.home, 'dashboard/audit');
  mkdirSync(folder, { recursive: true });
  let seq = 0;
  const path = join(room.home, 'spool/telemetry/counted.json');
  return {
    ...room, path,
    write(...lines) {
      for (const { event, details = {}, resource, at = room.clock.now() } of lines) {
        seq += 1;
        const day = new Date(at).toISOString();
        appendFileSync(join(folder, `audit-${day.slice(0, 10)}.jsonl`), `${JSON.stringify({ seq, timestamp: day, event, level: 'info', actor: 'agent:claude', resource, details, metadata: {}, chain_hash: 'ab'.repeat(32) })}\n`);
      }
    },
    open: (newFrom) => openCountedLog({ ...(newFrom === undefined ? {} : { newFrom }), disk: room.disk, loose: room.loose, clock: room.clock, timers: realTimers, random: room.place.random, base: room.home, path, log: folder }),
  };
}

function value({ families }: Pick<Counted, 'families'>, name: string): number | undefined {
  const [point] = families.find((family) => family.name === name)?.points ?? [];
  return point === undefined ? undefined : 'value' in point ? point.value : point.count;
}

/** As the courier does: what was read goes out, and is kept. */
function tell(counted: CountedLog): void {
  counted.read();
  counted.keep();
}

test('one series goes on over processes, and every entry counts once', async (t) => {
  const log = logIn(t);
  log.write({ event: 'run.start' }, { event: 'run.start' });
  const first = log.open();
  assert.equal(await first.look(), false, 'what stood there before telemetry is not counted');
  log.write({ event: 'policy.allow', details: { action: { kind: 'exec' }, duration_us: 250 } }, { event: 'gate.pass' });
  assert.equal(await first.look(), true);
  assert.equal(await first.look(), false);
  tell(first);
  log.clock.advance(5_000);
  log.write({ event: 'gate.pass' });
  const second = log.open();
  assert.equal(await second.look(), true);
  const [before, now] = [second.told, second.read()];
  assert.deepEqual([value(before, 'loki_audit_entries_total'), value(now, 'loki_audit_entries_total'), value(now, 'loki_quality_gate_pass_total'), value(now, 'loki_policy_evaluation_seconds')], [2, 3, 2, 1]);
  assert.deepEqual([now.instance, now.since], [first.read().instance, first.read().since]);
  assert.match(now.instance, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  const difference = subtractFamilies(now.families, before.families);
  assert.deepEqual([value({ families: difference }, 'loki_audit_entries_total'), value({ families: difference }, 'loki_policy_evaluation_seconds'), value({ families: difference }, 'loki_audit_last_durable_seq')], [1, 0, 5]);
});

test('a new series begins with the processes that handed over before there was a courier', async (t) => {
  const log = logIn(t);
  log.write({ event: 'gate.pass' });
  log.clock.advance(60_000);
  const handedOver = log.clock.now();
  log.write({ event: 'gate.pass' }, { event: 'gate.pass' });
  log.clock.advance(1_000);
  const first = log.open(handedOver);
  await first.look();
  assert.deepEqual([value(first.read(), 'loki_quality_gate_pass_total'), first.read().since], [2, handedOver]);
  tell(first);
  log.write({ event: 'gate.pass' });
  const next = log.open(log.clock.now() + 5);
  await next.look();
  assert.equal(value(next.read(), 'loki_quality_gate_pass_total'), 3, 'one that goes on takes no notice');
});

test('a name in the handed-over folder that says 1970, or next year, begins no series there', async (t) => {
  const log = logIn(t);
  log.write({ event: 'gate.pass' });
  for (const newFrom of [-10_000, 5]) {
    const counted = log.open(newFrom);
    await counted.look();
    assert.deepEqual([counted.read().since, value(counted.read(), 'loki_quality_gate_pass_total')], [log.clock.now() - 24 * 3_600_000, 1]);
  }
});

test('a clock that was a year ahead and was set back begins a new series, and every entry counts once', async (t) => {
  const log = logIn(t);
  const year = 365 * 24 * 3_600_000;
  const counted = log.open();
  log.write({ event: 'gate.pass' });
  await counted.look();
  tell(counted);
  log.clock.advance(year);
  log.write({ event: 'gate.pass' });
  await counted.look();
  tell(counted);
  const ahead = counted.read();
  log.clock.advance(-year);
  log.write({ event: 'gate.fail', at: ahead.at }, { event: 'gate.fail', at: ahead.at });
  await counted.look();
  const [now, before] = [counted.read(), counted.told];
  assert.notEqual(now.instance, ahead.instance);
  assert.deepEqual([now.since, now.at, before.at], [log.clock.now(), log.clock.now(), log.clock.now()], 'no time that has not come');
  assert.deepEqual([value(now, 'loki_quality_gate_fail_total'), value(now, 'loki_quality_gate_pass_total')], [2, 0], 'what was told is not told again');
  counted.keep();
  const next = log.open();
  await next.look();
  assert.deepEqual([next.read().instance, value(next.read(), 'loki_quality_gate_fail_total')], [now.instance, 2]);
  assert.equal(value({ families: subtractFamilies(next.read().families, next.told.families) }, 'loki_quality_gate_fail_total'), 0);
});

test('a process that finds what a clock a year ahead has kept goes on from its place in a new series', async (t) => {
  const log = logIn(t);
  const first = log.open();
  log.write({ event: 'gate.pass' });
  await first.look();
  log.clock.advance(365 * 24 * 3_600_000);
  tell(first);
  log.clock.advance(-365 * 24 * 3_600_000);
  log.write({ event: 'gate.fail' });
  const second = log.open();
  assert.equal(await second.look(), true);
  const now = second.read();
  assert.notEqual(now.instance, first.read().instance);
  assert.deepEqual([now.at, value(now, 'loki_quality_gate_fail_total'), value(now, 'loki_quality_gate_pass_total') ?? 0], [log.clock.now(), 1, 0]);
});

test('what a process counted and did not tell before it died is counted by the next', async (t) => {
  const log = logIn(t);
  const first = log.open();
  tell(first);
  log.write({ event: 'gate.fail' }, { event: 'gate.fail' });
  await first.look();
  assert.equal(value(first.read(), 'loki_quality_gate_fail_total'), 2);
  const second = log.open();
  await second.look();
  assert.equal(value(second.read(), 'loki_quality_gate_fail_total'), 2);
});

test('a day\'s end, and entries of more than a day ago', async (t) => {
  const log = logIn(t);
  log.write({ event: 'run.start' });
  tell(log.open());
  log.write({ event: 'gate.pass' });
  log.clock.advance(40 * 3_600_000);
  log.write({ event: 'gate.pass' }, { event: 'gate.pass' });
  const later = log.open();
  await later.look();
  assert.equal(value(later.read(), 'loki_quality_gate_pass_total'), 2, 'telemetry was off when the first was written');
});

test('where the file is lost or says nonsense a new series begins at the end of the log', async (t) => {
  const log = logIn(t);
  const first = log.open();
  log.write({ event: 'gate.pass' });
  await first.look();
  tell(first);
  const kept = readFileSync(log.path, 'utf8');
  const families = (JSON.parse(kept) as { families: MetricFamily[] }).families;
  const nonsense: readonly (readonly [string, string])[] = [
    ['empty', ''], ['another shape', '{"instance":5}'], ['too large', kept.padEnd(2 << 20)], ['no instance', kept.replace(/"instance":"[^"]*"/, '"instance":"../../x"')],
    ['a place that is none', kept.replace(/"file":"[^"]*"/, '"file":"../../etc/passwd"')],
  ];
  for (const [what, text] of nonsense) {
    writeFileSync(log.path, text);
    const next = log.open();
    assert.equal(await next.look(), false, what);
    assert.notEqual(next.read().instance, first.read().instance, what);
    assert.equal(value(next.read(), 'loki_quality_gate_pass_total') ?? 0, 0, what);
  }
  assert.ok(families.length > 3);
});

test('kept series of unknown metrics, other bounds or impossible counts are not taken up', async (t) => {
  const log = logIn(t);
  const first = log.open();
  log.write({ event: 'policy.deny', details: { action: { kind: 'exec' }, duration_us: 100 } });
  await first.look();
  tell(first);
  const kept = JSON.parse(readFileSync(log.path, 'utf8'));
  kept.families = kept.families.flatMap((family: { name: string; points: { value?: number }[] }) => {
    if (family.name === 'loki_audit_entries_total') return [{ ...family, points: [{ ...family.points[0], value: 'many' }] }];
    if (family.name === 'loki_policy_evaluation_seconds') return [{ ...family, bounds: [1, 2] }];
    return [family];
  }).concat([{ name: 'made_up_total', kind: 'counter', help: '', points: [{ labels: [], overflow: false, value: 5 }] }]);
  writeFileSync(log.path, JSON.stringify(kept));
  const next = log.open();
  await next.look();
  assert.deepEqual(['made_up_total', 'loki_policy_evaluation_seconds', 'loki_audit_entries_total'].map((name) => value(next.read(), name)), [undefined, undefined, 0]);
  assert.equal(value(next.read(), 'loki_policy_decisions_total'), 1, 'the others go on');
});

test('tokens of a session by provider and type', async (t) => {
  const log = logIn(t);
  const counted = log.open();
  log.write(
    { event: 'session.start', resource: 'session:a', details: { provider: 'claude' } }, { event: 'session.complete', resource: 'session:a', details: { input_tokens: 5000, output_tokens: 70 } },
    { event: 'session.start', resource: 'session:b', details: { provider: 'acme-internal' } }, { event: 'session.fail', resource: 'session:b', details: { input_tokens: 9, output_tokens: 0 } },
    { event: 'run.complete', resource: 'run:a', details: { input_tokens: 5000, output_tokens: 70 } },
  );
  await counted.look();
  const family = counted.read().families.find(({ name }) => name === 'gen_ai.client.token.usage');
  const rows = family?.kind === 'histogram' ? family.points.map(({ labels, sum, count }) => [...labels.map(([, text]) => text), sum, count]) : [];
  assert.deepEqual(rows, [['invoke_agent', 'anthropic', 'input', 5000, 1], ['invoke_agent', 'anthropic', 'output', 70, 1], ['invoke_agent', 'unknown', 'input', 9, 1]]);
});

test('where the count cannot be kept nothing is thrown', async (t) => {
  const log = logIn(t);
  writeFileSync(dirname(dirname(log.path)), 'a file where the folder should be');
  const counted = log.open();
  log.write({ event: 'gate.pass' });
  await counted.look();
  tell(counted);
  assert.equal(value(counted.read(), 'loki_quality_gate_pass_total'), 1);
});

test('sums and differences of series: what is new, gone, fallen, and past the bound', () => {
  const counter = (points: readonly (readonly [string, number])[], overflow?: number): MetricFamily => ({
    name: 'c_total', kind: 'counter', help: 'c',
    points: [...points.map(([label, value]) => ({ labels: [['l', label]] as const, overflow: false, value })), ...(overflow === undefined ? [] : [{ labels: [], overflow: true, value: overflow }])],
  });
  const rows = (families: readonly MetricFamily[]): readonly unknown[] => families.flatMap(({ points }) => points.map((point) => [point.labels[0]?.[1] ?? 'overflow', 'value' in point ? point.value : point.sum]));
  assert.deepEqual(rows(addFamilies([counter([['a', 1], ['b', 2]], 4)], [counter([['b', 3], ['c', 5]], 1)])), [['b', 5], ['c', 5], ['overflow', 5], ['a', 1]]);
  assert.deepEqual(rows(subtractFamilies([counter([['b', 3], ['c', 5]], 6)], [counter([['a', 1], ['b', 2], ['c', 9]], 4)])), [['b', 1], ['c', 5], ['overflow', 2]]);
  const gauge = (value: number): MetricFamily => ({ name: 'g', kind: 'gauge', help: 'g', points: [{ labels: [], overflow: false, value }] });
  assert.deepEqual([rows(addFamilies([gauge(5)], [gauge(3)])), rows(subtractFamilies([gauge(3)], [gauge(5)])), rows(addFamilies([gauge(5)], []))], [[['overflow', 3]], [['overflow', 3]], [['overflow', 5]]]);
});
