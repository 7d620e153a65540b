import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricFamily } from '../../lib/base/metric.ts';
import { createRegistry, mostSeries, type Registry } from '../../lib/telemetry/registry.ts';

const table = {
  done_total: { kind: 'counter', labels: ['kind', 'name'], help: 'h' },
  plain_total: { kind: 'counter', labels: [], help: 'h' },
  size: { kind: 'gauge', labels: [], help: 'h' },
  took_seconds: { kind: 'histogram', unit: 'seconds', labels: ['kind'], bounds: [0.1, 1], help: 'h' },
} as const;
const make = (): Registry<typeof table> => createRegistry(table);
const family = (all: readonly MetricFamily[], name: string): MetricFamily => all.find((one) => one.name === name) ?? assert.fail(name);

test('counts, sets and observes; what is read is a copy', () => {
  const registry = make();
  registry.add('done_total', 2, ['a', 'b']);
  registry.add('done_total', 1, ['a', 'b']);
  registry.set('size', -4);
  for (const value of [0, 0.1, 0.11, 1, 1.5, 100]) registry.observe('took_seconds', value, ['x']);
  const read = registry.read();
  assert.deepEqual(read.map(({ name, points }) => [name, points.length]), [['done_total', 1], ['plain_total', 1], ['size', 1], ['took_seconds', 1]]);
  assert.deepEqual(family(read, 'done_total').points, [{ labels: [['kind', 'a'], ['name', 'b']], overflow: false, value: 3 }]);
  assert.deepEqual(family(read, 'took_seconds').points, [{ labels: [['kind', 'x']], overflow: false, counts: [2, 2, 2], sum: 102.71, count: 6 }]);
  registry.add('done_total', 1, ['a', 'b']);
  registry.observe('took_seconds', 1, ['x']);
  assert.deepEqual(family(read, 'took_seconds').points, [{ labels: [['kind', 'x']], overflow: false, counts: [2, 2, 2], sum: 102.71, count: 6 }]);
});

test('what is no measurement is not taken', () => {
  const registry = make();
  for (const wrong of [NaN, Infinity, -Infinity, -1]) {
    registry.add('plain_total', wrong);
    registry.observe('took_seconds', wrong, ['x']);
    if (wrong !== -1) registry.set('size', wrong);
  }
  assert.deepEqual(registry.read().map(({ points }) => points), [[], [{ labels: [], overflow: false, value: 0 }], [], []]);
});

test('series are told apart by all their values, and by nothing else', () => {
  const registry = make();
  for (const labels of [['ab', 'c'], ['a', 'bc'], ['', 'abc'], ['1 a', 'b'], ['a', 'b'], ['a\0b', ''], ['__proto__', 'constructor']]) registry.add('done_total', 1, labels);
  assert.equal(family(registry.read(), 'done_total').points.length, 7);
});

test('past 2000 series the rest is counted as one, and none of it is lost', () => {
  const registry = make();
  for (let n = 0; n < 5000; n += 1) registry.add('done_total', 1, ['k', String(n)]);
  registry.add('done_total', 1, ['k', '0']);
  const { points } = family(registry.read(), 'done_total');
  assert.equal(points.length, mostSeries);
  assert.equal(points.reduce((sum, point) => sum + ('value' in point ? point.value : 0), 0), 5001);
  assert.deepEqual(points.filter(({ overflow }) => overflow), [{ labels: [], overflow: true, value: 5000 - (mostSeries - 1) }]);
});

test('a label is no place to keep things', () => {
  const registry = make();
  registry.add('done_total', 1, ['x'.repeat(100_000), 'y']);
  assert.equal(family(registry.read(), 'done_total').points[0]?.labels[0]?.[1].length, 200);
});

test('what is told best when somebody reads is asked for then', () => {
  const registry = make();
  let size = 0;
  registry.beforeReading(() => registry.set('size', size));
  size = 7;
  assert.deepEqual(family(registry.read(), 'size').points, [{ labels: [], overflow: false, value: 7 }]);
});
