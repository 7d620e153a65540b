/** Instruments of the public meter, and how they are read: cumulative, delta, lowmemory, by several readers at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricData } from '../../lib/base/telemetry-data.ts';
import type { Attributes, SpanContext } from '../../lib/base/trace.ts';
import { encodeMetrics } from '../../lib/formats/otlp/metrics.ts';
import { createMeter, mostMetrics, type Meter } from '../../lib/telemetry/meter.ts';
import { createMetricReader } from '../../lib/telemetry/metric-reader.ts';
import { createRegistry } from '../../lib/telemetry/registry.ts';
import { mostSeries } from '../../lib/telemetry/series.ts';
import type { Temporality } from '../../lib/telemetry/settings.ts';
import { Times } from '../../lib/telemetry/times.ts';
import { createTestClock, type TestClock } from '../support/fakes.ts';
import { checkBatch } from '../support/otlp-schema.ts';

interface Kit {
  readonly meter: Meter;
  readonly clock: TestClock;
  /** Another reader, whose readings are held against the protocol. */
  reader(countedAs?: Temporality): () => readonly MetricData[];
}

function kit(): Kit {
  const clock = createTestClock();
  const { meter, stores } = createMeter(new Times(clock));
  return {
    meter, clock,
    reader(countedAs = 'cumulative') {
      const reader = createMetricReader(countedAs);
      return () => {
        clock.advance(1000);
        stores.look();
        const data = reader.read({ name: 'tests' }, stores.stores(), clock.now());
        for (const message of encodeMetrics({ attributes: { 'service.name': 's' } }, data).messages) assert.deepEqual(checkBatch({ signal: 'metrics', ...message }), []);
        return data;
      };
    },
  };
}

/** Values by attributes. */
const valuesOf = (data: readonly MetricData[], name: string = 'm'): readonly unknown[] => {
  const metric = data.find((one) => one.name === name);
  return (metric?.points ?? []).map((point) => [point.attributes.entries, 'value' in point ? point.value : point.count]);
};

test('counters rise, up-down counters fall as well, gauges are what was set last', () => {
  const { meter, reader } = kit();
  const read = reader();
  const counter = meter.createCounter('m', { unit: '{x}', description: 'd' });
  counter.add(1);
  counter.add(2.5, {});
  meter.createUpDownCounter('u').add(-3);
  const gauge = meter.createGauge('g');
  gauge.record(1);
  gauge.record(-7);
  const data = read();
  assert.deepEqual([valuesOf(data), valuesOf(data, 'u'), valuesOf(data, 'g')], [[[[], 3.5]], [[[], -3]], [[[], -7]]]);
  assert.deepEqual(data.map((one) => [one.name, one.kind, one.unit, one.description, one.kind === 'sum' ? one.monotonic : undefined]), [['m', 'sum', '{x}', 'd', true], ['u', 'sum', '', '', false], ['g', 'gauge', '', '', undefined]]);
});

test('series are told apart by names, values and types, and not by the order of attributes', () => {
  const { meter, reader } = kit();
  const counter = meter.createCounter('m');
  const sets: readonly Attributes[] = [
    { a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1, b: 2, c: undefined }, { a: '1', b: 2 }, { a: 1n, b: 2 }, { a: true }, { a: 'true' }, { a: 'x1', b: '' }, { a: 'x', '1b': '' },
    { a: [1] }, { a: [1] }, { a: ['1'] }, { a: { b: 1 } }, { a: new Uint8Array([1]) }, { '': 1 }, {},
  ];
  for (const set of [...sets, ...sets]) counter.add(1, set);
  assert.deepEqual(valuesOf(reader()()).map((pair) => (pair as [unknown, number])[1]), [8, 2, 2, 2, 2, 2, 4, 2, 2, 2, 4]);
});

test('attributes that are changed between two calls are as they are then', () => {
  const { meter, reader } = kit();
  const counter = meter.createCounter('m');
  const set: { a: number } = { a: 1 };
  counter.add(1, set);
  set.a = 2;
  counter.add(1, set);
  assert.deepEqual(valuesOf(reader()()), [[['a', 1], 1], [['a', 2], 1]]);
});

test('a bound instrument is the instrument of its attributes', () => {
  const { meter, reader } = kit();
  const counter = meter.createCounter('m');
  const bound = counter.bind({ a: 1 });
  bound.add(1);
  bound.add(-1);
  counter.add(1, { a: 1 });
  meter.createGauge('g').bind({}).record(4);
  meter.createHistogram('h').bind({ a: 'x' }).record(4);
  const data = reader()();
  assert.deepEqual([valuesOf(data), valuesOf(data, 'g'), valuesOf(data, 'h')], [[[['a', 1], 2]], [[[], 4]], [[['a', 'x'], 1]]]);
});

test('what is no measurement is not taken, and nothing throws', () => {
  const { meter, reader } = kit();
  const hostile = new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); } }) as Attributes;
  for (const wrong of [NaN, Infinity, -Infinity, '1', undefined, null, 1n, {}] as number[]) {
    meter.createCounter('m').add(wrong);
    meter.createUpDownCounter('u').add(wrong);
    meter.createGauge('g').record(wrong);
    meter.createHistogram('h').record(wrong);
  }
  meter.createCounter('m').add(-1);
  meter.createCounter('m').add(1, hostile);
  meter.createCounter('m').add(1, null as never);
  meter.createCounter('m').add(1, 'text' as never);
  const data = reader()();
  assert.deepEqual(valuesOf(data).reduce((sum: number, pair) => sum + (pair as [unknown, number])[1], 0), 3);
  assert.deepEqual(data.map(({ name }) => name), ['m', 'u']);
});

test('names that are none, and instruments that contradict each other, keep nothing', () => {
  const { meter, reader } = kit();
  for (const name of ['', '1a', 'a b', 'ä', 'x'.repeat(256), 7, undefined, {}] as string[]) meter.createCounter(name).add(1);
  meter.createCounter('m', { unit: 's' }).add(1);
  meter.createGauge('m').record(5);
  meter.createCounter('m', { unit: 'ms' }).add(1);
  meter.createCounter('M', { unit: 's' }).add(1);
  meter.createCounter('n', { unit: 'x'.repeat(64), description: 7 as never }).add(1);
  meter.createObservableGauge('o', {}, undefined as never);
  const data = reader()();
  assert.deepEqual([data.map(({ name, unit }) => [name, unit]), valuesOf(data)], [[['m', 's'], ['n', '']], [[[], 2]]]);
  for (let n = 0; n < 2 * mostMetrics; n += 1) meter.createCounter(`x${n}`).add(1);
  assert.equal(reader()().length, mostMetrics);
});

test('past 2000 series the rest is counted as one, which says so; what was seen before goes on', () => {
  const { meter, reader } = kit();
  const counter = meter.createCounter('m');
  for (let n = 0; n < 3000; n += 1) counter.add(1, { n });
  counter.add(1, { n: 0 });
  counter.add(1, { n: 2999 });
  const values = valuesOf(reader()()) as [unknown[], number][];
  assert.equal(values.length, mostSeries);
  assert.deepEqual([values[0], values.at(-1)], [[['n', 0], 2], [['otel.metric.overflow', true], 3000 - (mostSeries - 1) + 1]]);
});

test('histograms: a value on a bound belongs below it, smallest and largest are kept, bounds that do not rise are not used', () => {
  const { meter, reader } = kit();
  const histogram = meter.createHistogram('m', { bounds: [1, 2, 3] });
  for (const value of [0, 1, 1.5, 2, 3, 4]) histogram.record(value);
  meter.createHistogram('usual').record(7);
  meter.createHistogram('wrong', { bounds: [2, 1] }).record(7);
  const [first, usual, wrong] = reader()();
  assert.deepEqual(first?.kind === 'histogram' && first.points.map(({ counts, count, sum, min, max }) => ({ counts, count, sum, min, max })), [{ counts: [2, 2, 1, 1], count: 6, sum: 11.5, min: 0, max: 4 }]);
  assert.deepEqual([usual, wrong].map((one) => one?.kind === 'histogram' && one.bounds), Array(2).fill([0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]));
});

test('a histogram with a value below zero has no sum', () => {
  const { meter, reader } = kit();
  for (const value of [5, -1]) meter.createHistogram('m').record(value);
  const [metric] = reader()();
  assert.deepEqual(metric?.kind === 'histogram' && metric.points.map(({ sum, min, max, count }) => [sum, min, max, count]), [[undefined, -1, 5, 2]]);
});

test('cumulative goes on from the beginning; delta is what came since, without gaps, and nothing where nothing came', () => {
  const { meter, clock, reader } = kit();
  const begun = clock.now();
  const [counter, histogram] = [meter.createCounter('m'), meter.createHistogram('h', { bounds: [10] })];
  const [cumulative, delta] = [reader(), reader('delta')];
  const told = (data: readonly MetricData[]): unknown => data.flatMap(({ points }) => points.map((point) => [(point.startTime - begun) / 1000, (point.time - begun) / 1000, 'value' in point ? point.value : [point.counts, point.sum, point.min, point.max]]));
  counter.add(5);
  histogram.record(4);
  histogram.record(20);
  assert.deepEqual(told(cumulative()), [[0, 1, 5], [0, 1, [[1, 1], 24, 4, 20]]]);
  assert.deepEqual(told(delta()), [[0, 2, 5], [0, 2, [[1, 1], 24, 4, 20]]]);
  assert.deepEqual(told(delta()), []);
  counter.add(2);
  histogram.record(9);
  assert.deepEqual(told(cumulative()), [[0, 4, 7], [0, 4, [[2, 1], 33, 4, 20]]]);
  assert.deepEqual(told(delta()), [[3, 5, 2], [3, 5, [[1, 0], 9, 9, 9]]]);
  histogram.record(8);
  assert.deepEqual(told(delta()), [[5, 6, [[1, 0], 8, 8, 8]]]);
});

test('two readers that want what came since do not take it from each other', () => {
  const { meter, reader } = kit();
  const [one, other] = [reader('delta'), reader('lowmemory')];
  const [counter, histogram] = [meter.createCounter('m'), meter.createHistogram('h')];
  const extremes = (data: readonly MetricData[]): unknown => data.flatMap((each) => (each.kind === 'histogram' ? each.points.map(({ min, max }) => [min, max]) : []));
  counter.add(1);
  histogram.record(3);
  assert.deepEqual(valuesOf(one()), [[[], 1]]);
  counter.add(2);
  histogram.record(5);
  assert.deepEqual([valuesOf(one()), valuesOf(other())], [[[[], 2]], [[[], 3]]]);
  histogram.record(4);
  assert.deepEqual([extremes(one()), extremes(other())], [[[4, 4]], [[4, 4]]]);
});

test('which are told as what came since', () => {
  const temporalities = (countedAs: Temporality): unknown => {
    const { meter, reader } = kit();
    meter.createCounter('c').add(1);
    meter.createUpDownCounter('u').add(1);
    meter.createHistogram('h').record(1);
    meter.createObservableCounter('oc', {}, (observe) => observe(1));
    meter.createObservableUpDownCounter('ou', {}, (observe) => observe(1));
    return Object.fromEntries(reader(countedAs)().map((one) => [one.name, 'temporality' in one ? one.temporality : undefined]));
  };
  const all = { c: 'cumulative', u: 'cumulative', h: 'cumulative', oc: 'cumulative', ou: 'cumulative' };
  assert.deepEqual([temporalities('cumulative'), temporalities('delta'), temporalities('lowmemory')], [all, { ...all, c: 'delta', h: 'delta', oc: 'delta' }, { ...all, c: 'delta', h: 'delta' }]);
});

test('what is observed is what was found at that moment, and what is not found any more is gone', () => {
  const { meter, reader } = kit();
  const read = reader();
  let found: readonly (readonly [number, Attributes])[] = [[5, { q: 'a' }], [1, { q: 'b' }]];
  const end = meter.createObservableGauge('m', {}, (observe) => { for (const [value, attributes] of found) observe(value, attributes); observe(NaN); });
  assert.deepEqual(valuesOf(read()), [[['q', 'a'], 5], [['q', 'b'], 1]]);
  found = [[2, { q: 'b' }]];
  assert.deepEqual(valuesOf(read()), [[['q', 'b'], 2]]);
  end();
  assert.deepEqual(valuesOf(read()), []);
});

test('a look that throws takes nothing but its own values away', () => {
  const { meter, reader } = kit();
  meter.createObservableGauge('m', {}, () => { throw new Error('no'); });
  meter.createObservableGauge('n', {}, (observe) => observe(1));
  assert.deepEqual(valuesOf(reader()(), 'n'), [[[], 1]]);
});

test('an observed sum that fell began anew: since then, and from nothing', () => {
  const { meter, clock, reader } = kit();
  const [cumulative, delta] = [reader(), reader('delta')];
  let sum = 10;
  meter.createObservableCounter('m', {}, (observe) => observe(sum));
  assert.deepEqual([valuesOf(cumulative()), valuesOf(delta())], [[[[], 10]], [[[], 10]]]);
  sum = 3;
  const before = clock.now();
  const [metric] = cumulative();
  assert.ok((metric?.points[0]?.startTime ?? 0) > before);
  assert.deepEqual([valuesOf(delta()), valuesOf(delta())], [[[[], 3]], [[[], 0]]]);
});

test('exemplars lead from a measurement in a span that is kept to its trace, until they were told', () => {
  const { meter, reader } = kit();
  const read = reader();
  const context: SpanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };
  const [counter, histogram] = [meter.createCounter('m'), meter.createHistogram('h', { bounds: [10] })];
  counter.add(1, undefined, context);
  counter.add(2, undefined, { ...context, sampled: false });
  for (const value of [1, 2, 20]) histogram.record(value, {}, context);
  const told = (data: readonly MetricData[]): unknown => data.map(({ points }) => points.map(({ exemplars }) => exemplars?.map(({ value }) => value)));
  assert.deepEqual(told(read()), [[[1]], [[2, 20]]]);
  counter.add(1);
  assert.deepEqual(told(read()), [[[]], [[]]]);
});

test('the registry of a table is read the same way', () => {
  const registry = createRegistry({ x_total: { kind: 'counter', labels: ['a'], help: 'h' }, y_seconds: { kind: 'histogram', unit: 'seconds', labels: [], bounds: [1], help: 'h' } } as const, 1000);
  registry.add('x_total', 2, ['v']);
  registry.observe('y_seconds', 0.5);
  const data = createMetricReader('delta').read({ name: 's' }, registry.stores(), 5000);
  for (const message of encodeMetrics({ attributes: { 'service.name': 's' } }, data).messages) assert.deepEqual(checkBatch({ signal: 'metrics', ...message }), []);
  assert.deepEqual(data.map((one) => [one.name, one.unit, one.points.map(({ startTime, attributes: { entries } }) => [startTime, entries])]), [['x_total', '', [[1000, ['a', 'v']]]], ['y_seconds', 's', [[1000, []]]]]);
});
