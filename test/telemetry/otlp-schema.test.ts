/** The checker of payloads is checked: what is right passes, and each rule speaks when it alone is broken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { signals, type Signal } from '../../lib/telemetry/batch.ts';
import { checkBatch, checkPayload, countItems } from '../support/otlp-schema.ts';
import { fixture } from '../support/root.ts';

const right = (signal: Signal): string => readFileSync(fixture('otlp', `${signal}.json`), 'utf8');

/** A payload as something to walk by name; a name that is not there fails. */
interface Tree { [name: string]: Tree }

const items: Readonly<Record<Signal, (payload: Tree) => Tree>> = {
  traces: (payload) => child(payload, 'resourceSpans', '0', 'scopeSpans', '0', 'spans'),
  metrics: (payload) => child(payload, 'resourceMetrics', '0', 'scopeMetrics', '0', 'metrics'),
  logs: (payload) => child(payload, 'resourceLogs', '0', 'scopeLogs', '0', 'logRecords'),
};

function child(tree: Tree, ...names: readonly string[]): Tree {
  return names.reduce((at, name) => {
    const next = at[name];
    assert.ok(next !== undefined, `the fixture has ${name}`);
    return next;
  }, tree);
}

type Break = readonly [path: string, value: unknown, said: string];

/** What the checker says when the item at a path (`0.kind`) has another value; undefined takes it away. */
function broken(signal: Signal, path: string, value: unknown): readonly string[] {
  const payload = JSON.parse(right(signal)) as Tree;
  const names = path.split('.');
  const last = names.pop() ?? '';
  const at = child(path.startsWith('resource') ? payload : items[signal](payload), ...names) as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return checkPayload(signal, JSON.stringify(payload));
}

const key = (name: string, value: unknown = { stringValue: 'x' }): unknown => ({ key: name, value });
const span = 'resourceSpans[0].scopeSpans[0].spans[0]';
const metric = (at: number): string => `resourceMetrics[0].scopeMetrics[0].metrics[${at}]`;
const log = (at: number): string => `resourceLogs[0].scopeLogs[0].logRecords[${at}]`;

const breaks: Readonly<Record<Signal, readonly Break[]>> = {
  traces: [
    ['0.trace_id', 'x', `${span}.trace_id is not known`],
    ['0.traceId', undefined, `${span}.traceId is missing`],
    ['0.traceId', 'CvdlGRbNQ92ESOshHIAxnA==', `${span}.traceId is not 16 bytes in hexadecimal, not all zero: "CvdlGRbNQ92ESOshHIAxnA=="`],
    ['0.traceId', '0'.repeat(32), `${span}.traceId is not 16 bytes in hexadecimal, not all zero: "${'0'.repeat(32)}"`],
    ['0.spanId', 'b7ad6b716920333', `${span}.spanId is not 8 bytes in hexadecimal, not all zero: "b7ad6b716920333"`],
    ['0.parentSpanId', '0'.repeat(16), `${span}.parentSpanId is not 8 bytes in hexadecimal, not all zero: "${'0'.repeat(16)}"`],
    ['0.parentSpanId', 'b7ad6b7169203331', `${span} is its own parent`],
    ['0.name', '', `${span}.name is not a text of at least one character: ""`],
    ['0.name', null, `${span}.name is not a text of at least one character: null`],
    ['0.kind', undefined, `${span}.kind is missing`],
    ['0.kind', 0, `${span}.kind is not a number from 1 to 5: 0`],
    ['0.kind', 'SPAN_KIND_SERVER', `${span}.kind is not a number from 1 to 5: "SPAN_KIND_SERVER"`],
    ['0.startTimeUnixNano', 1771165800, `${span}.startTimeUnixNano is not the text of nanoseconds since 1970: 1771165800`],
    ['0.startTimeUnixNano', '0', `${span}.startTimeUnixNano is not the text of nanoseconds since 1970: "0"`],
    ['0.startTimeUnixNano', '1.7e18', `${span}.startTimeUnixNano is not the text of nanoseconds since 1970: "1.7e18"`],
    ['0.startTimeUnixNano', '1771165800250000001', `${span} has its endTimeUnixNano before its startTimeUnixNano`],
    ['0.flags', 0x401, `${span}.flags is not a number with no bits beside 0x3ff: 1025`],
    ['0.flags', 0x201, `${span} has flags that say remote, and not that this is known`],
    ['0.attributes', [key('a'), key('a')], `${span}.attributes has "a" twice`],
    ['0.attributes', {}, `${span}.attributes is not a list: {}`],
    ['0.attributes.0', { key: '', value: {} }, `${span}.attributes[0].key is not a text of at least one character: ""`],
    ['0.attributes.0', { key: 'a' }, `${span}.attributes[0].value is missing`],
    ['0.attributes.0.value', { stringValue: 'x', boolValue: true }, `${span}.attributes[0].value has stringValue and boolValue, of which only one may be there`],
    ['0.attributes.0.value', { stringValueStrindex: 1 }, `${span}.attributes[0].value.stringValueStrindex is not known`],
    ['0.attributes.0.value', 'x', `${span}.attributes[0].value is not an object: "x"`],
    ['0.attributes.0.value', { intValue: 12 }, `${span}.attributes[0].value.intValue is not the text of a whole number of 64 bits: 12`],
    ['0.attributes.0.value', { intValue: '9223372036854775808' }, `${span}.attributes[0].value.intValue is not the text of a whole number of 64 bits: "9223372036854775808"`],
    ['0.attributes.0.value', { intValue: '-0' }, `${span}.attributes[0].value.intValue is not the text of a whole number of 64 bits: "-0"`],
    ['0.attributes.0.value', { doubleValue: '1.5' }, `${span}.attributes[0].value.doubleValue is not a finite number, "NaN", "Infinity" or "-Infinity": "1.5"`],
    ['0.attributes.0.value', { doubleValue: null }, `${span}.attributes[0].value.doubleValue is not a finite number, "NaN", "Infinity" or "-Infinity": null`],
    ['0.attributes.0.value', { boolValue: 'true' }, `${span}.attributes[0].value.boolValue is not true or false: "true"`],
    ['0.attributes.0.value', { bytesValue: '00ff0' }, `${span}.attributes[0].value.bytesValue is not base64: "00ff0"`],
    ['0.attributes.0.value', { stringValue: 'a\ud800b' }, `${span}.attributes[0].value.stringValue is not a text that has a UTF-8 form: "a\\ud800b"`],
    ['0.attributes.0.value', { stringValue: '\udc00\ud800' }, `${span}.attributes[0].value.stringValue is not a text that has a UTF-8 form: "\\udc00\\ud800"`],
    ['0.attributes.0.value', { arrayValue: [] }, `${span}.attributes[0].value.arrayValue is not an object: []`],
    ['0.attributes.0.value', { kvlistValue: { values: [key('a'), key('a')] } }, `${span}.attributes[0].value.kvlistValue.values has "a" twice`],
    ['0.droppedAttributesCount', '2', `${span}.droppedAttributesCount is not a whole number of 32 bits from 0: "2"`],
    ['0.events.0.timeUnixNano', undefined, `${span}.events[0].timeUnixNano is missing`],
    ['0.events.0.name', '', `${span}.events[0].name is not a text of at least one character: ""`],
    ['0.events.0.attributes', [key('a'), key('a')], `${span}.events[0].attributes has "a" twice`],
    ['0.links.0.spanId', undefined, `${span}.links[0].spanId is missing`],
    ['0.links.0.flags', 0x200, `${span}.links[0] has flags that say remote, and not that this is known`],
    ['0.status.code', 3, `${span}.status.code is not a number from 0 to 2: 3`],
    ['0.status.code', 1, `${span}.status has a message and is no error`],
    ['resourceSpans.0.resource', undefined, 'resourceSpans[0].resource is missing'],
    ['resourceSpans.0.resource.attributes', [key('service.name', { stringValue: '' }), key('service.instance.id')], 'resourceSpans[0].resource has no service.name'],
    ['resourceSpans.0.resource.entityRefs', [{ type: 'service', idKeys: ['service.nam'] }], 'resourceSpans[0].resource has an entity that names "service.nam", which is no attribute'],
    ['resourceSpans.0.resource.entityRefs', [{ type: 'service', idKeys: [] }], 'resourceSpans[0].resource.entityRefs[0].idKeys is empty'],
    ['resourceSpans.0.scopeSpans.0.scope.name', '', 'resourceSpans[0].scopeSpans[0].scope.name is not a text of at least one character: ""'],
    ['resourceSpans.0.scopeSpans.0.spans', [], 'resourceSpans[0].scopeSpans[0].spans is empty'],
    ['resourceSpans.0.scopeSpans', [], 'resourceSpans[0].scopeSpans is empty'],
    ['resourceSpans', [], 'resourceSpans is empty'],
    ['resourceSpans', undefined, 'resourceSpans is missing'],
  ],
  metrics: [
    ['0.name', undefined, `${metric(0)}.name is missing`],
    ['0.sum', undefined, `${metric(0)} has none of gauge, sum, histogram, exponentialHistogram, summary`],
    ['1.name', 'bakery.loaves', 'resourceMetrics[0].scopeMetrics[0].metrics has "bakery.loaves" twice'],
    ['0.gauge', { dataPoints: [{ timeUnixNano: '1', asInt: '1' }] }, `${metric(0)} has gauge and sum, of which only one may be there`],
    ['0.sum.dataPoints', [], `${metric(0)}.sum.dataPoints is empty`],
    ['0.sum.aggregationTemporality', undefined, `${metric(0)}.sum.aggregationTemporality is missing`],
    ['0.sum.aggregationTemporality', 0, `${metric(0)}.sum.aggregationTemporality is not a number from 1 to 2: 0`],
    ['0.sum.isMonotonic', undefined, `${metric(0)}.sum.isMonotonic is missing`],
    ['0.sum.dataPoints.0.asInt', '-1', `${metric(0)}.sum is monotonic and has a negative point`],
    ['0.sum.dataPoints.0.asInt', 41, `${metric(0)}.sum.dataPoints[0].asInt is not the text of a whole number of 64 bits: 41`],
    ['0.sum.dataPoints.0.asInt', undefined, `${metric(0)}.sum.dataPoints[0] has none of asDouble, asInt`],
    ['0.sum.dataPoints.0.asDouble', 41, `${metric(0)}.sum.dataPoints[0] has asDouble and asInt, of which only one may be there`],
    ['0.sum.dataPoints.0.timeUnixNano', '0', `${metric(0)}.sum.dataPoints[0].timeUnixNano is not the text of nanoseconds since 1970: "0"`],
    ['0.sum.dataPoints.0.startTimeUnixNano', undefined, `${metric(0)}.sum.dataPoints[0].startTimeUnixNano is missing`],
    ['0.sum.dataPoints.0.startTimeUnixNano', '1771165800250000001', `${metric(0)}.sum.dataPoints[0] has its timeUnixNano before its startTimeUnixNano`],
    ['0.sum.dataPoints.0.flags', 2, `${metric(0)}.sum.dataPoints[0].flags is not a number with no bits beside 0x1: 2`],
    ['0.sum.dataPoints.0.attributes', [key('a'), key('a')], `${metric(0)}.sum.dataPoints[0].attributes has "a" twice`],
    ['0.sum.dataPoints.0.attributes', [key('till')], `${metric(0)}.sum.dataPoints[0] has "till" on itself and on an exemplar`],
    ['0.sum.dataPoints.1.attributes', [key('shelf', { stringValue: 'top' })], `${metric(0)}.sum.dataPoints has 1771165800250000000 ["shelf",{"stringValue":"top"}] twice`],
    ['0.sum.dataPoints.0.exemplars.0.asInt', undefined, `${metric(0)}.sum.dataPoints[0].exemplars[0] has none of asDouble, asInt`],
    ['0.sum.dataPoints.0.exemplars.0.traceId', undefined, `${metric(0)}.sum.dataPoints[0].exemplars[0] has only one of spanId and traceId`],
    ['1.gauge.dataPoints.1.flags', 0, `${metric(1)}.gauge.dataPoints[1] has none of asDouble, asInt`],
    ['2.histogram.aggregationTemporality', 3, `${metric(2)}.histogram.aggregationTemporality is not a number from 1 to 2: 3`],
    ['2.histogram.dataPoints.0.count', 3, `${metric(2)}.histogram.dataPoints[0].count is not the text of a whole number of 64 bits from 0: 3`],
    ['2.histogram.dataPoints.0.count', '4', `${metric(2)}.histogram.dataPoints[0] has the count 4 and 3 in its buckets`],
    ['2.histogram.dataPoints.0.bucketCounts', ['1', '2'], `${metric(2)}.histogram.dataPoints[0] has 2 buckets and 2 bounds`],
    ['2.histogram.dataPoints.0.bucketCounts', [1, '2', '0'], `${metric(2)}.histogram.dataPoints[0].bucketCounts[0] is not the text of a whole number of 64 bits from 0: 1`],
    ['2.histogram.dataPoints.1.explicitBounds', [1], `${metric(2)}.histogram.dataPoints[1] has 0 buckets and 1 bounds`],
    ['2.histogram.dataPoints.0.explicitBounds', [5, 5], `${metric(2)}.histogram.dataPoints[0] has bounds that do not rise`],
    ['2.histogram.dataPoints.0.explicitBounds', [5, 'Infinity'], `${metric(2)}.histogram.dataPoints[0].explicitBounds[1] is not a finite number: "Infinity"`],
    ['2.histogram.dataPoints.0.min', 5, `${metric(2)}.histogram.dataPoints[0] has a min above its max`],
    ['2.histogram.dataPoints.0.min', -1, `${metric(2)}.histogram.dataPoints[0] has a sum, and counted something negative`],
    ['2.histogram.dataPoints.0.sum', -1, `${metric(2)}.histogram.dataPoints[0] has a negative sum`],
    ['2.histogram.dataPoints.1.sum', 1, `${metric(2)}.histogram.dataPoints[1] counted nothing, and has a sum, min or max`],
    ['3.exponentialHistogram.dataPoints.0.zeroCount', '2', `${metric(3)}.exponentialHistogram.dataPoints[0] has the count 6 and 7 in its buckets`],
    ['3.exponentialHistogram.dataPoints.0.scale', '2', `${metric(3)}.exponentialHistogram.dataPoints[0].scale is not a whole number of 32 bits: "2"`],
    ['3.exponentialHistogram.dataPoints.0.positive.offset', 1.5, `${metric(3)}.exponentialHistogram.dataPoints[0].positive.offset is not a whole number of 32 bits: 1.5`],
    ['4.summary.dataPoints.0.quantileValues.1.quantile', 1, `${metric(4)}.summary.dataPoints[0] has quantiles that do not rise from 0 to 1`],
  ],
  logs: [
    ['0.observedTimeUnixNano', undefined, `${log(0)}.observedTimeUnixNano is missing`],
    ['0.observedTimeUnixNano', '0', `${log(0)}.observedTimeUnixNano is not the text of nanoseconds since 1970: "0"`],
    ['0.severityNumber', 25, `${log(0)}.severityNumber is not a number from 1 to 24: 25`],
    ['0.severityNumber', 'INFO', `${log(0)}.severityNumber is not a number from 1 to 24: "INFO"`],
    ['0.traceId', undefined, `${log(0)} has a spanId and no traceId`],
    ['0.traceId', '', `${log(0)}.traceId is not 16 bytes in hexadecimal, not all zero: ""`],
    ['0.flags', 0x101, `${log(0)}.flags is not a number with no bits beside 0xff: 257`],
    ['0.attributes', [key('a'), key('a')], `${log(0)}.attributes has "a" twice`],
    ['0.body', { intValue: 1 }, `${log(0)}.body.intValue is not the text of a whole number of 64 bits: 1`],
    ['1.eventName', '', `${log(1)}.eventName is not a text of at least one character: ""`],
    ['1.eventName', 'e'.repeat(257), `${log(1)} has an eventName of 257 characters; at most 256 are allowed`],
    ['resourceLogs.0.scopeLogs.0.logRecords', [], 'resourceLogs[0].scopeLogs[0].logRecords is empty'],
  ],
};

const counts: Readonly<Record<Signal, number>> = { traces: 2, metrics: 8, logs: 2 };

for (const signal of signals) {
  describe(`a payload of ${signal}`, () => {
    test('that is right has no mistake, and its items are counted', () => {
      assert.deepEqual(checkPayload(signal, right(signal)), []);
      assert.equal(countItems(signal, right(signal)), counts[signal]);
    });

    for (const [path, value, said] of breaks[signal]) {
      test(`with ${path} ${value === undefined ? 'left out' : `as ${JSON.stringify(value).slice(0, 60)}`} has that one mistake`, () => {
        assert.deepEqual(broken(signal, path, value), [said]);
      });
    }
  });
}

test('every mistake is told, not only the first', () => {
  assert.deepEqual(checkPayload('logs', '{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"scope":{"name":"a"},"logRecords":[{"flags":-1}]}]}]}'), [
    'resourceLogs[0].resource has no service.name',
    `${log(0)}.observedTimeUnixNano is missing`,
    `${log(0)}.flags is not a number with no bits beside 0xff: -1`,
  ]);
});

describe('the text of a payload', () => {
  const rows: readonly (readonly [what: string, payload: string, said: RegExp])[] = [
    ['no JSON', '{"resourceSpans":[', /^the payload is no JSON: /],
    ['nothing', '', /^the payload is no JSON: /],
    ['a list', '[]', /^the payload is not an object: \[\]$/],
    ['another signal', right('logs'), /^resourceSpans is missing$/],
    ['a member twice', '{"resourceSpans":[],"resourceSpans":[]}', /^the payload has the member "resourceSpans" twice in one object$/],
    ['a number beyond a double', right('traces').replace('9.75', '1e999'), /value\.doubleValue is not a finite number/],
    ['more depth than readers of protobuf follow', right('traces').replace('"stringValue": "rye"', `${'"kvlistValue":{"values":[{"key":"a","value":{'.repeat(33)}${'}}]}'.repeat(33)}`), /^the payload is 105 messages deep; readers of protobuf stop at 100$/],
  ];
  for (const [what, payload, said] of rows) test(`that is ${what} is a mistake`, () => { assert.match(checkPayload('traces', payload)[0] ?? 'nothing', said); });

  test('with a brace or a quote in a value is read as JSON is', () => {
    assert.deepEqual(checkPayload('traces', right('traces').replace('Mill Lane', '}{\\"key\\":\\\\')), []);
  });
});

describe('a batch', () => {
  const body = JSON.stringify(JSON.parse(right('metrics')));
  test('that says what it holds is right', () => { assert.deepEqual(checkBatch({ signal: 'metrics', items: 8, body }), []); });
  test('that says another number of items is not', () => { assert.deepEqual(checkBatch({ signal: 'metrics', items: 5, body }), ['the batch says 5 items and holds 8']); });
  test('of several lines is not', () => { assert.deepEqual(checkBatch({ signal: 'metrics', items: 8, body: right('metrics') }), ['the batch is more than one line']); });
  test('with a mistake in it says that', () => { assert.deepEqual(checkBatch({ signal: 'logs', items: 8, body }), ['resourceLogs is missing', 'resourceMetrics is not known']); });
});
