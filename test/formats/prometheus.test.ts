import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import type { MetricFamily } from '../../lib/base/metric.ts';
import { writePrometheus } from '../../lib/formats/prometheus.ts';

const requests: MetricFamily = {
  name: 'http_requests_total', kind: 'counter', help: 'The total number of HTTP requests.',
  points: [{ labels: [['method', 'post'], ['code', '200']], overflow: false, value: 1027 }, { labels: [['method', 'post'], ['code', '400']], overflow: false, value: 3 }],
};
const durations: MetricFamily = {
  name: 'http_request_duration_seconds', kind: 'histogram', unit: 'seconds', help: 'A histogram of the request duration.', bounds: [0.05, 0.1, 0.2, 0.5, 1],
  points: [{ labels: [], overflow: false, counts: [24054, 9390, 66948, 28997, 4599, 10332], sum: 53423, count: 144320 }],
};

test('the text format\'s published example', () => {
  assert.equal(writePrometheus([requests, durations], 'text'), `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027
http_requests_total{method="post",code="400"} 3
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="0.1"} 33444
http_request_duration_seconds_bucket{le="0.2"} 100392
http_request_duration_seconds_bucket{le="0.5"} 129389
http_request_duration_seconds_bucket{le="1.0"} 133988
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
`);
});

test('OpenMetrics: TYPE, UNIT, HELP, counters without _total in their family\'s name, # EOF', () => {
  const lines = writePrometheus([requests, durations], 'openmetrics').split('\n');
  assert.deepEqual(lines.slice(0, 3), ['# TYPE http_requests counter', '# HELP http_requests The total number of HTTP requests.', 'http_requests_total{method="post",code="200"} 1027']);
  assert.deepEqual(lines.slice(4, 7), ['# TYPE http_request_duration_seconds histogram', '# UNIT http_request_duration_seconds seconds', '# HELP http_request_duration_seconds A histogram of the request duration.']);
  assert.deepEqual(lines.slice(-2), ['# EOF', '']);
  assert.equal(writePrometheus([], 'openmetrics'), '# EOF\n');
});

test('a label value or a help may hold anything, and stays on its line', () => {
  const hostile = ['C:\\DIR\\FILE.TXT', 'Cannot find file:\n"FILE.TXT"', '"} 1\nforged_total 5\n', '# EOF\n', 'a\r\nb\rc', 'x\0y', '\\', '\\n', 'Grüße 世界 🜁', '', '{}=,'];
  for (const how of ['text', 'openmetrics'] as const) {
    const family: MetricFamily = { name: 'a_total', kind: 'counter', help: 'say "hi"\\\n# EOF', points: hostile.map((value) => ({ labels: [['v', value]], overflow: false, value: 1 })) };
    const text = writePrometheus([family], how);
    const samples = text.split('\n').filter((line) => line.startsWith('a_total{'));
    assert.equal(samples.length, hostile.length, text);
    assert.doesNotMatch(text, /[\r\0]/);
    const read = samples.map((line) => JSON.parse(`"${/^a_total\{v="((?:[^"\\]|\\[\\"n])*)"\} 1$/.exec(line)?.[1] ?? 'no sample: '}"`.replace(/[\u0000-\u001f]/g, '')) as string);
    assert.deepEqual(read, hostile.map((value) => value.replaceAll('\0', '\ufffd').replace(/\r\n?/g, '\n')));
    assert.ok(text.includes(how === 'text' ? '# HELP a_total say "hi"\\\\\\n# EOF\n' : '# HELP a say \\"hi\\"\\\\\\n# EOF\n'), text);
  }
});

test('numbers as both formats have them', () => {
  const family = (value: number): MetricFamily => ({ name: 'g', kind: 'gauge', help: 'h', points: [{ labels: [], overflow: false, value }] });
  for (const [value, text] of [[0, '0'], [-1.5, '-1.5'], [1e21, '1e+21'], [NaN, 'NaN'], [Infinity, '+Inf'], [-Infinity, '-Inf'], [9007199254740991, '9007199254740991']] as const) {
    assert.equal(writePrometheus([family(value)], 'text').split('\n')[2], `g ${text}`);
  }
});

test('the series that stands for all others is marked as OpenTelemetry does; a metric without series is left out', () => {
  const family: MetricFamily = { ...requests, points: [{ labels: [], overflow: true, value: 2 }] };
  assert.ok(writePrometheus([family], 'text').endsWith('\nhttp_requests_total{otel_metric_overflow="true"} 2\n'));
  assert.equal(writePrometheus([{ ...requests, points: [] }], 'openmetrics'), '# EOF\n');
});

test('names that would break the format are refused', () => {
  const wrong: readonly (readonly [Partial<MetricFamily>, RegExp])[] = [
    [{ name: '1a' }, /"1a" is no name of a metric/], [{ name: 'a b' }, /no name of a metric/], [{ name: 'a\nb' }, /no name of a metric/], [{ name: '' }, /no name of a metric/],
    [{ unit: 'seconds' }, /does not end with its unit/],
  ];
  for (const [members, message] of wrong) assert.throws(() => writePrometheus([{ ...requests, ...members } as MetricFamily], 'openmetrics'), (error) => error instanceof LokiError && message.test(error.message));
  for (const label of ['le', '__name__', 'a-b', '', '0']) {
    assert.throws(() => writePrometheus([{ ...requests, points: [{ labels: [[label, 'x']], overflow: false, value: 1 }] } as MetricFamily], 'text'), /no name of a label/, label);
  }
});
