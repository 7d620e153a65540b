/** Histograms with buckets that nobody named: in which bucket a number falls, how buckets become wider, and what is told of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExponentialCounts, ExponentialData, MetricData } from '../../lib/base/telemetry-data.ts';
import { encodeMetrics } from '../../lib/formats/otlp/metrics.ts';
import { ExponentialStore, countsSince } from '../../lib/telemetry/exponential.ts';
import { createMeter } from '../../lib/telemetry/meter.ts';
import { createMetricReader } from '../../lib/telemetry/metric-reader.ts';
import { Times } from '../../lib/telemetry/times.ts';
import { createTestClock } from '../support/fakes.ts';
import { checkBatch } from '../support/otlp-schema.ts';

function of(...values: readonly number[]): ExponentialCounts {
  const store = new ExponentialStore();
  for (const value of values) store.record(value);
  return store.counts();
}

const total = ({ zeroCount, positive, negative }: ExponentialCounts): number => zeroCount + [...positive.counts, ...negative.counts].reduce((sum, count) => sum + count, 0);

/** Bounds of a bucket, by the definition. */
const boundsOf = (scale: number, index: number): readonly [above: number, upTo: number] => [2 ** (index * 2 ** -scale), 2 ** ((index + 1) * 2 ** -scale)];

test('a power of two is the upper bound of its bucket, whatever the scale', () => {
  for (const exponent of [-1074, -1030, -1022, -4, 0, 1, 10, 1023]) {
    const { scale, positive } = of(2 ** exponent);
    assert.deepEqual([scale, positive], [20, { offset: exponent * 2 ** 20 - 1, counts: [1] }]);
  }
  // Together with what is far away the scale falls to where a bucket has several powers.
  const { scale, positive } = of(1, 2, 4, 8, 2 ** 1000);
  assert.equal(scale, -3);
  assert.deepEqual([positive.offset, positive.counts[0], positive.counts[1], positive.counts.at(-1)], [-1, 1, 3, 1]);
});

test('numbers fall between the bounds of their buckets, and never into more than 160', () => {
  for (const values of [[1, 1.0001, 1.5, 3, 3.999], [0.1, 0.3, 1, 17, 1e6], [5e-324, 1e-310, 1, 1e308, Number.MAX_VALUE], Array.from({ length: 1000 }, (_, at) => 1.01 ** at)]) {
    const { scale, positive } = of(...values);
    assert.ok(positive.counts.length <= 160, `${positive.counts.length}`);
    assert.equal(positive.counts.reduce((sum, count) => sum + count), values.length);
    for (const value of values) {
      const found = positive.counts.findIndex((count, at) => {
        const [above, upTo] = boundsOf(scale, positive.offset + at);
        return count > 0 && value > above * (1 - 1e-9) && value <= upTo * (1 + 1e-9);
      });
      assert.ok(found >= 0, `${value} at scale ${scale}`);
    }
  }
});

test('the scale is the largest that 160 buckets allow for', () => {
  // From 1 to 4 are two powers: 80 buckets for each are 2 to the power of 6 and a bit.
  assert.equal(of(1.001, 4).scale, 6);
  assert.equal(of(1).scale, 20);
});

test('what is below zero is counted by its amount, at the same scale, and zero by itself', () => {
  assert.deepEqual(of(-2, 2, 0, -0), { scale: 20, zeroCount: 2, positive: { offset: 2 ** 20 - 1, counts: [1] }, negative: { offset: 2 ** 20 - 1, counts: [1] } });
  const wide = of(-2, 1, 1e9);
  assert.ok(wide.scale < 20);
  assert.equal(wide.negative.counts.length, 1);
  assert.ok((boundsOf(wide.scale, wide.negative.offset)[1]) >= 2);
});

test('order does not matter for what is counted where', () => {
  const values = [3, 1e9, 0.004, 17, 17, 5e-324, 2];
  const all = of(...values);
  assert.deepEqual(of(...[...values].reverse()), all);
  assert.equal(total(all), values.length);
});

test('what came since is right though the scale fell between', () => {
  const store = new ExponentialStore();
  for (const value of [1, 2, 3, 0, -5]) store.record(value);
  const before = store.counts();
  for (const value of [1e6, 3, 0]) store.record(value);
  const since = countsSince(store.counts(), before);
  assert.equal(since.scale, store.counts().scale);
  assert.deepEqual([total(since), since.zeroCount, since.negative], [3, 1, { offset: 0, counts: [] }]);
  assert.ok([...since.positive.counts].every((count) => count >= 0));
  assert.deepEqual([since.positive.counts[0], since.positive.counts.at(-1)], [1, 1]);
  assert.deepEqual(countsSince(store.counts(), store.counts()).positive, { offset: 0, counts: [] });
});

function kit(countedAs: 'cumulative' | 'delta'): { readonly record: (value: number) => void; read(): ExponentialData | undefined; text(): string } {
  const clock = createTestClock();
  const { meter, stores } = createMeter(new Times(clock), undefined, true);
  const histogram = meter.createHistogram('m', { unit: 's', bounds: [1, 2] });
  const reader = createMetricReader(countedAs);
  let last = '';
  return {
    record: (value) => histogram.record(value, { a: 1 }, { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true }),
    read() {
      clock.advance(1000);
      const data: readonly MetricData[] = reader.read({ name: 'tests' }, stores.stores(), clock.now());
      for (const message of encodeMetrics({ attributes: { 'service.name': 's' } }, data).messages) {
        assert.deepEqual(checkBatch({ signal: 'metrics', ...message }), []);
        last = message.body;
      }
      const [metric] = data;
      return metric?.kind === 'exponential histogram' ? metric.points[0] : undefined;
    },
    text: () => last,
  };
}

test('told since the beginning: the protocol\'s members, with exemplars that lead to the trace', () => {
  const { record, read, text } = kit('cumulative');
  for (const value of [1, 2, 0, Number.NaN, Infinity]) record(value);
  assert.deepEqual([read()?.count, read()?.sum, read()?.min, read()?.max], [3, 3, 0, 2]);
  record(4);
  assert.equal(read()?.count, 4);
  assert.match(text(), /"name":"m","unit":"s","exponentialHistogram":\{"aggregationTemporality":2,"dataPoints":\[\{.*"exemplars":\[\{.*"traceId":"1{32}".*"count":"4","sum":7,"min":0,"max":4,"scale":6,"zeroCount":"1","positive":\{"offset":-1,"bucketCounts":\["1",/);
  assert.doesNotMatch(text(), /negative|explicitBounds/);
});

test('told since the last time: only what came', () => {
  const { record, read } = kit('delta');
  record(1);
  assert.equal(read()?.count, 1);
  assert.equal(read(), undefined);
  record(1e12);
  record(-3);
  const data = read();
  assert.deepEqual([data?.count, data?.sum, data?.min, data?.max], [2, undefined, -3, 1e12]);
  assert.deepEqual([data?.counts.positive.counts, data?.counts.negative.counts], [[1], [1]]);
});
