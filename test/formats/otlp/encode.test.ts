/** Spans, metrics and log records as OTLP/JSON: held against the protocol, byte for byte where a mistake is easy, and in messages of bounded size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeptAttributes, LogData, MetricData, Resource, Scope, SpanData } from '../../../lib/base/telemetry-data.ts';
import type { SpanContext } from '../../../lib/base/trace.ts';
import type { Encoded } from '../../../lib/formats/otlp/envelope.ts';
import { encodeLogs } from '../../../lib/formats/otlp/logs.ts';
import { encodeMetrics } from '../../../lib/formats/otlp/metrics.ts';
import { encodeSpans } from '../../../lib/formats/otlp/spans.ts';
import { Texts } from '../../../lib/formats/otlp/texts.ts';
import type { Signal } from '../../../lib/telemetry/batch.ts';
import { checkBatch } from '../../support/otlp-schema.ts';

const resource: Resource = { attributes: { 'service.name': 'test', 'process.pid': 7 }, schemaUrl: 'https://opentelemetry.io/schemas/1.30.0' };
const scope: Scope = { name: 'tests', version: '1.0', attributes: { part: 'a' }, schemaUrl: 'https://opentelemetry.io/schemas/1.29.0' };
const none: KeptAttributes = { entries: [], dropped: 0 };
const context: SpanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };
const start = 1_771_165_800_123.456;

const span = (over: Partial<SpanData> = {}): SpanData => ({
  scope, context, parent: undefined, name: 'work', kind: 'internal', startTime: start, endTime: start + 1, attributes: none,
  events: [], droppedEvents: 0, links: [], droppedLinks: 0, outcome: 'unset', message: undefined, size: 0, ...over,
});

/** Nothing is wrong with any message. */
function right(signal: Signal, encoded: Encoded): readonly string[] {
  for (const message of encoded.messages) assert.deepEqual(checkBatch({ signal, ...message }), []);
  return encoded.messages.map(({ body }) => body);
}

test('a span with everything', () => {
  const [body] = right('traces', encodeSpans(resource, [span({
    context: { ...context, traceState: 'a=1,b="2"' }, parent: { ...context, spanId: '00f067aa0ba902b7', isRemote: true }, kind: 'server',
    attributes: { entries: ['a', 1, 'b', 'x\ud800', 'c', { json: '{"boolValue":true}' }, 'd', NaN, 'e', 2n ** 63n - 1n], dropped: 2 },
    events: [{ name: 'e', time: start, attributes: { entries: ['k', 'v'], dropped: 1 } }], droppedEvents: 3,
    links: [{ context: { ...context, isRemote: true, sampled: false }, attributes: none }], droppedLinks: 4, outcome: 'error', message: 'failed',
  })]));
  assert.equal(body, '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"test"}},{"key":"process.pid","value":{"intValue":"7"}}]},'
    + '"scopeSpans":[{"scope":{"name":"tests","version":"1.0","attributes":[{"key":"part","value":{"stringValue":"a"}}]},"spans":['
    + '{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","traceState":"a=1,b=\\"2\\"","parentSpanId":"00f067aa0ba902b7","flags":769,"name":"work","kind":2,'
    + '"startTimeUnixNano":"1771165800123456054","endTimeUnixNano":"1771165800124456054",'
    + '"attributes":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"stringValue":"x\ufffd"}},{"key":"c","value":{"boolValue":true}},{"key":"d","value":{"doubleValue":"NaN"}},{"key":"e","value":{"intValue":"9223372036854775807"}}],"droppedAttributesCount":2,'
    + '"events":[{"timeUnixNano":"1771165800123456054","name":"e","attributes":[{"key":"k","value":{"stringValue":"v"}}],"droppedAttributesCount":1}],"droppedEventsCount":3,'
    + '"links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","flags":768}],"droppedLinksCount":4,"status":{"code":2,"message":"failed"}}],'
    + '"schemaUrl":"https://opentelemetry.io/schemas/1.29.0"}],"schemaUrl":"https://opentelemetry.io/schemas/1.30.0"}]}');
});

test('what there is nothing to say of is left out', () => {
  const [body = ''] = right('traces', encodeSpans({ attributes: { 'service.name': 's' } }, [span({ scope: { name: 's' } })]));
  assert.match(body, /"spans":\[\{"traceId":"[0-9a-f]{32}","spanId":"[0-9a-f]{16}","flags":257,"name":"work","kind":1,"startTimeUnixNano":"\d{19}","endTimeUnixNano":"\d{19}"\}\]/);
});

test('a span does not end before it began', () => {
  const [body = ''] = right('traces', encodeSpans(resource, [span({ endTime: start - 5000 })]));
  assert.equal(/"endTimeUnixNano":"(\d+)"/.exec(body)?.[1], /"startTimeUnixNano":"(\d+)"/.exec(body)?.[1]);
});

test('of nothing no message is made', () => {
  assert.deepEqual([encodeSpans(resource, []), encodeLogs(resource, []), encodeMetrics(resource, [])], Array(3).fill({ messages: [], tooLarge: 0 }));
});

test('times are exact to the precision of a double, in nanoseconds', () => {
  const texts = new Texts();
  for (const [ms, nanos] of [[0, '0'], [0.5, '500000'], [999, '999000000'], [1000, '1000000000'], [1_771_165_800_000, '1771165800000000000'], [1_771_165_800_000.25, '1771165800000250000'], [1_771_165_800_999.75, '1771165800999750000'], [1000, '1000000000']] as const) {
    assert.equal(texts.nanos(ms), `"${nanos}"`, String(ms));
  }
});

test('spans of one scope stand together, scopes in the order in which they came', () => {
  const other: Scope = { name: 'other' };
  const [body = ''] = right('traces', encodeSpans(resource, [span({ name: 'a' }), span({ name: 'b', scope: other }), span({ name: 'c' })]));
  const { resourceSpans: [{ scopeSpans }] } = JSON.parse(body);
  assert.deepEqual(scopeSpans.map((one: { scope: { name: string }; spans: { name: string }[] }) => [one.scope.name, one.spans.map(({ name }) => name)]), [['tests', ['a', 'c']], ['other', ['b']]]);
});

test('no message holds more than 512 items, or more characters than the bound', () => {
  const many = encodeSpans(resource, Array.from({ length: 1300 }, () => span()));
  assert.deepEqual(many.messages.map(({ items }) => items), [512, 512, 276]);
  right('traces', many);
  const long = encodeSpans(resource, Array.from({ length: 20 }, () => span({ attributes: { entries: ['x', 'y'.repeat(1000)], dropped: 0 } })), { items: 512, characters: 5000 });
  assert.deepEqual(long.messages.map(({ items }) => items), [4, 4, 4, 4, 4]);
  right('traces', long);
});

test('an item that is larger than a message is in none, and is counted', () => {
  const encoded = encodeSpans(resource, [span(), span({ attributes: { entries: ['x', 'y'.repeat(6000)], dropped: 0 } }), span()], { items: 512, characters: 5000 });
  assert.deepEqual([encoded.tooLarge, encoded.messages.map(({ items }) => items)], [1, [2]]);
});

test('attributes of a resource that throw when they are looked at are left out', () => {
  const attributes = { 'service.name': 's', get bad(): string { throw new Error('no'); } };
  right('traces', encodeSpans({ attributes }, [span()]));
});

const record = (over: Partial<LogData> = {}): LogData => ({
  scope, name: undefined, time: start, observedTime: start, severityNumber: 9, severityText: 'INFO', body: undefined, attributes: none, context: undefined, size: 0, ...over,
});

test('log records and events', () => {
  const [body] = right('logs', encodeLogs({ attributes: { 'service.name': 's' } }, [
    record({ name: 'loki.policy.deny', body: 'denied\n"x"', attributes: { entries: ['a', true], dropped: 1 }, context }), record({ severityNumber: 0, severityText: '' }),
  ]));
  assert.equal(body?.slice(body.indexOf('"logRecords"')), '"logRecords":[{"timeUnixNano":"1771165800123456054","observedTimeUnixNano":"1771165800123456054","severityNumber":9,"severityText":"INFO","eventName":"loki.policy.deny",'
    + '"body":{"stringValue":"denied\\n\\"x\\""},"attributes":[{"key":"a","value":{"boolValue":true}}],"droppedAttributesCount":1,"flags":1,"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"},'
    + '{"timeUnixNano":"1771165800123456054","observedTimeUnixNano":"1771165800123456054"}],"schemaUrl":"https://opentelemetry.io/schemas/1.29.0"}]}]}');
});

const metric = { scope, name: 'm', description: 'd', unit: '{x}' } as const;
const point = { attributes: none, startTime: start, time: start + 1000 } as const;

test('sums, gauges and histograms', () => {
  const metrics: readonly MetricData[] = [
    { ...metric, name: 'sum', kind: 'sum', monotonic: true, temporality: 'delta', points: [{ ...point, value: 3, exemplars: [{ value: 2, time: start, context }] }] },
    { ...metric, name: 'updown', kind: 'sum', monotonic: false, temporality: 'cumulative', points: [{ ...point, value: -2.5 }] },
    { ...metric, name: 'gauge', unit: '', description: '', kind: 'gauge', points: [{ ...point, value: 0, attributes: { entries: ['a', 'b'], dropped: 5 } }] },
    { ...metric, name: 'histogram', kind: 'histogram', temporality: 'cumulative', bounds: [0.1, 1], points: [{ ...point, counts: [1, 0, 2], count: 3, sum: 7.5, min: 0.05, max: 5 }] },
    { ...metric, name: 'negative', kind: 'histogram', temporality: 'delta', bounds: [0], points: [{ ...point, counts: [1, 0], count: 1, sum: undefined, min: -1, max: -1 }] },
    { ...metric, name: 'boundless', kind: 'histogram', temporality: 'delta', bounds: [], points: [{ ...point, counts: [1], count: 1, sum: 1, min: 1, max: 1 }] },
  ];
  const [body = ''] = right('metrics', encodeMetrics(resource, metrics));
  const texts: readonly unknown[] = JSON.parse(body).resourceMetrics[0].scopeMetrics[0].metrics;
  const times = { startTimeUnixNano: '1771165800123456054', timeUnixNano: '1771165801123456054' };
  assert.deepEqual(texts, [
    { name: 'sum', description: 'd', unit: '{x}', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...times, exemplars: [{ timeUnixNano: '1771165800123456054', asDouble: 2, traceId: context.traceId, spanId: context.spanId }], asDouble: 3 }] } },
    { name: 'updown', description: 'd', unit: '{x}', sum: { aggregationTemporality: 2, isMonotonic: false, dataPoints: [{ ...times, asDouble: -2.5 }] } },
    { name: 'gauge', gauge: { dataPoints: [{ ...times, attributes: [{ key: 'a', value: { stringValue: 'b' } }], asDouble: 0 }] } },
    { name: 'histogram', description: 'd', unit: '{x}', histogram: { aggregationTemporality: 2, dataPoints: [{ ...times, count: '3', sum: 7.5, min: 0.05, max: 5, bucketCounts: ['1', '0', '2'], explicitBounds: [0.1, 1] }] } },
    { name: 'negative', description: 'd', unit: '{x}', histogram: { aggregationTemporality: 1, dataPoints: [{ ...times, count: '1', min: -1, max: -1, bucketCounts: ['1', '0'], explicitBounds: [0] }] } },
    { name: 'boundless', description: 'd', unit: '{x}', histogram: { aggregationTemporality: 1, dataPoints: [{ ...times, count: '1', sum: 1, min: 1, max: 1 }] } },
  ]);
});

test('a metric with more points than a message may hold is told in several, each with its points once', () => {
  const points = Array.from({ length: 1100 }, (_, n) => ({ ...point, value: n, attributes: { entries: ['n', n], dropped: 0 } }));
  const encoded = encodeMetrics(resource, [{ ...metric, name: 'first', kind: 'gauge', points: points.slice(0, 3) }, { ...metric, kind: 'gauge', points }]);
  right('metrics', encoded);
  assert.equal(encoded.messages.reduce((sum, { items }) => sum + items, 0), 1103);
  const wide = encodeMetrics(resource, [{ ...metric, kind: 'gauge', points: points.map((one) => ({ ...one, attributes: { entries: ['n', one.value, 'x', 'y'.repeat(100)], dropped: 0 } })) }], { items: 512, characters: 20_000 });
  right('metrics', wide);
  assert.deepEqual([wide.tooLarge, wide.messages.reduce((sum, { items }) => sum + items, 0)], [0, 1100]);
  for (const { body } of wide.messages) assert.ok(body.length < 21_000);
});
