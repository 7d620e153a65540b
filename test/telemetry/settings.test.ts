/** Every variable of OpenTelemetry's: what counts, who wins, and what is said of what cannot be used. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Secret } from '../../lib/base/secret.ts';
import type { Signal } from '../../lib/telemetry/batch.ts';
import { resolveSettings, type SettingsSources } from '../../lib/telemetry/resolve-settings.ts';
import type { SignalRoute, TelemetrySettings } from '../../lib/telemetry/settings.ts';
import { variableNames, variables } from '../../lib/telemetry/variables.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example.com' } as const;

function settingsOf(env: Readonly<Record<string, string | undefined>>, more: Partial<SettingsSources> = {}): TelemetrySettings {
  return resolveSettings({ env, usual: { serviceName: 'loki-mode', resource: {} }, ...more });
}

function routeOf(settings: TelemetrySettings, signal: Signal): SignalRoute | undefined {
  const found = settings.destinations.find((each) => each.signals.includes(signal));
  return found?.kind === 'http' ? found.routes[signal] : undefined;
}

function headersOf(settings: TelemetrySettings, signal: Signal): Readonly<Record<string, string>> {
  return Object.fromEntries([...routeOf(settings, signal)?.headers ?? []].map(([name, value]) => [name, value.reveal()]));
}

function words({ problems }: TelemetrySettings): string {
  return problems.map(({ message }) => message).join('\n');
}

test('nothing set: off, with the defaults of the specification, and no problem', () => {
  const settings = settingsOf({});
  assert.deepEqual([settings.isOn, settings.offBecause, settings.destinations, settings.problems, settings.effective], [false, 'no receiver is configured', [], [], []]);
  assert.deepEqual(settings.sampler, { kind: 'always_on', parentBased: true, ratio: 1 });
  assert.deepEqual(settings.spans, { delayMs: 5000, maxQueue: 2048, maxBatch: 512 });
  assert.deepEqual(settings.logs, { delayMs: 1000, maxQueue: 2048, maxBatch: 512 });
  assert.deepEqual(settings.metrics, { intervalMs: 60_000, exportTimeoutMs: 30_000, histograms: 'explicit_bucket_histogram' });
  assert.deepEqual(settings.limits, { span: { count: 128, valueLength: undefined }, logRecord: { count: 128, valueLength: undefined }, eventCount: 128, linkCount: 128, attributesPerEvent: 128, attributesPerLink: 128 });
  assert.deepEqual([settings.propagators, settings.resource], [{ traceContext: true, baggage: true }, { 'service.name': 'loki-mode' }]);
});

test('an empty variable counts as unset, every one of them', () => {
  const empty = settingsOf(Object.fromEntries(variableNames.map((name, at) => [name, at % 2 === 0 ? '' : '  '])));
  assert.deepEqual(empty, settingsOf({}));
});

test('an endpoint switches all three signals on, one destination', () => {
  const { isOn, destinations } = settingsOf(endpoint);
  assert.ok(isOn && destinations.length === 1 && destinations[0]?.kind === 'http');
  assert.deepEqual([destinations[0].name, destinations[0].signals, destinations[0].temporality], ['https://otel.example.com', ['traces', 'metrics', 'logs'], 'cumulative']);
  assert.deepEqual([destinations[0].routes.traces?.url, destinations[0].routes.traces?.gzip, destinations[0].routes.logs?.timeoutMs], ['https://otel.example.com/v1/traces', true, 10_000]);
  assert.match(destinations[0].id, /^otlp-[0-9a-f]{12}$/);
});

const toldOf = ({ problems }: TelemetrySettings): readonly string[] => problems.map(({ message }) => message);

/** A variable, what it is set to, and where that shows. `undefined` in `want`: refused, so that the default shows. */
const values: readonly (readonly [env: Readonly<Record<string, string>>, read: (settings: TelemetrySettings) => unknown, want: unknown])[] = [
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4318/p/' }, (s) => routeOf(s, 'logs')?.url, 'http://h:4318/p/v1/logs'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://h:4318/p' }, (s) => routeOf(s, 'traces')?.url, 'http://h:4318/p'],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://h:4318/p' }, (s) => [routeOf(s, 'metrics')?.url, routeOf(s, 'traces')?.url], ['http://h:4318/p', 'https://otel.example.com/v1/traces']],
  [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://h:4318' }, (s) => routeOf(s, 'logs')?.url, 'http://h:4318/'],
  [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=%20x' }, (s) => headersOf(s, 'traces'), { a: '1', b: ' x' }],
  [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=2', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=3' }, (s) => [headersOf(s, 'traces'), headersOf(s, 'logs')], [{ a: '3' }, { a: '1', b: '2' }]],
  [{ OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'm=1' }, (s) => headersOf(s, 'metrics'), { m: '1' }],
  [{ OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'l=1' }, (s) => headersOf(s, 'logs'), { l: '1' }],
  [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'NONE' }, (s) => routeOf(s, 'traces')?.gzip, false],
  [{ OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none' }, (s) => [routeOf(s, 'traces')?.gzip, routeOf(s, 'metrics')?.gzip], [false, true]],
  [{ OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none' }, (s) => routeOf(s, 'metrics')?.gzip, false],
  [{ OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: 'gzip', OTEL_EXPORTER_OTLP_COMPRESSION: 'none' }, (s) => routeOf(s, 'logs')?.gzip, true],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: '0' }, (s) => routeOf(s, 'traces')?.timeoutMs, 0],
  [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '5' }, (s) => [routeOf(s, 'traces')?.timeoutMs, routeOf(s, 'logs')?.timeoutMs], [5, 10_000]],
  [{ OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '6' }, (s) => routeOf(s, 'metrics')?.timeoutMs, 6],
  [{ OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: '7' }, (s) => routeOf(s, 'logs')?.timeoutMs, 7],
  [{ OTEL_EXPORTER_OTLP_CERTIFICATE: '/c/ca.pem' }, (s) => routeOf(s, 'traces')?.tls, { ca: '/c/ca.pem' }],
  [{ OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: '/c/t.pem' }, (s) => [routeOf(s, 'traces')?.tls, routeOf(s, 'logs')?.tls], [{ ca: '/c/t.pem' }, {}]],
  [{ OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: '/c/m.pem' }, (s) => routeOf(s, 'metrics')?.tls, { ca: '/c/m.pem' }],
  [{ OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE: '/c/l.pem' }, (s) => routeOf(s, 'logs')?.tls, { ca: '/c/l.pem' }],
  [{ OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/c/c.pem', OTEL_EXPORTER_OTLP_CLIENT_KEY: '/c/k.pem' }, (s) => routeOf(s, 'logs')?.tls, { cert: '/c/c.pem', key: '/c/k.pem' }],
  [{ OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: '/c/c.pem', OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: '/c/k.pem' }, (s) => [routeOf(s, 'traces')?.tls, routeOf(s, 'logs')?.tls], [{ cert: '/c/c.pem', key: '/c/k.pem' }, {}]],
  [{ OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: '/c/c.pem', OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: '/c/k.pem' }, (s) => routeOf(s, 'metrics')?.tls, { cert: '/c/c.pem', key: '/c/k.pem' }],
  [{ OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE: '/c/c.pem', OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY: '/c/k.pem' }, (s) => routeOf(s, 'logs')?.tls, { cert: '/c/c.pem', key: '/c/k.pem' }],
  [{ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'Delta' }, (s) => s.destinations[0]?.temporality, 'delta'],
  [{ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'LowMemory' }, (s) => s.destinations[0]?.temporality, 'lowmemory'],
  [{ OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram' }, (s) => s.metrics.histograms, 'base2_exponential_bucket_histogram'],
  [{ OTEL_SDK_DISABLED: 'TRUE' }, (s) => [s.isOn, s.offBecause], [false, 'OTEL_SDK_DISABLED is true']],
  [{ OTEL_SDK_DISABLED: 'false' }, (s) => s.isOn, true],
  [{ OTEL_SERVICE_NAME: 'svc' }, (s) => s.resource, { 'service.name': 'svc' }],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,a%2Cb=c%3Dd, e = f ,g=' }, (s) => s.resource, { 'service.name': 'other', 'a,b': 'c=d', 'e': 'f', 'g': '' }],
  [{ OTEL_SERVICE_NAME: 'svc', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,x=1' }, (s) => s.resource, { 'service.name': 'svc', 'x': '1' }],
  [{ OTEL_TRACES_SAMPLER: 'always_on' }, (s) => s.sampler, { kind: 'always_on', parentBased: false, ratio: 1 }],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, (s) => s.sampler, { kind: 'always_off', parentBased: false, ratio: 0 }],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio' }, (s) => s.sampler, { kind: 'traceidratio', parentBased: false, ratio: 1 }],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, (s) => s.sampler, { kind: 'always_on', parentBased: true, ratio: 1 }],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, (s) => s.sampler, { kind: 'always_off', parentBased: true, ratio: 0 }],
  [{ OTEL_TRACES_SAMPLER: 'ParentBased_TraceIdRatio', OTEL_TRACES_SAMPLER_ARG: '.25' }, (s) => s.sampler, { kind: 'traceidratio', parentBased: true, ratio: 0.25 }],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1e-3' }, (s) => s.sampler.ratio, 0.001],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, (s) => s.sampler.ratio, 0],
  [{ OTEL_PROPAGATORS: 'tracecontext' }, (s) => s.propagators, { traceContext: true, baggage: false }],
  [{ OTEL_PROPAGATORS: 'none' }, (s) => s.propagators, { traceContext: false, baggage: false }],
  [{ OTEL_TRACES_EXPORTER: 'none' }, (s) => s.destinations[0]?.signals, ['metrics', 'logs']],
  [{ OTEL_METRICS_EXPORTER: 'None' }, (s) => s.destinations[0]?.signals, ['traces', 'logs']],
  [{ OTEL_LOGS_EXPORTER: 'otlp' }, (s) => s.destinations[0]?.signals, ['traces', 'metrics', 'logs']],
  [{ OTEL_BSP_SCHEDULE_DELAY: '100' }, (s) => s.spans.delayMs, 100],
  [{ OTEL_BSP_EXPORT_TIMEOUT: '0' }, toldOf, ['OTEL_BSP_EXPORT_TIMEOUT is not used: each request has its own time']],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: '4096' }, (s) => s.spans.maxQueue, 4096],
  [{ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '64' }, (s) => s.spans.maxBatch, 64],
  [{ OTEL_BLRP_SCHEDULE_DELAY: '100' }, (s) => s.logs.delayMs, 100],
  [{ OTEL_BLRP_EXPORT_TIMEOUT: '5' }, toldOf, ['OTEL_BLRP_EXPORT_TIMEOUT is not used: each request has its own time']],
  [{ OTEL_BLRP_MAX_QUEUE_SIZE: '4096' }, (s) => s.logs.maxQueue, 4096],
  [{ OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '64' }, (s) => s.logs.maxBatch, 64],
  [{ OTEL_METRIC_EXPORT_INTERVAL: '1000' }, (s) => s.metrics.intervalMs, 1000],
  [{ OTEL_METRIC_EXPORT_TIMEOUT: '500' }, (s) => s.metrics.exportTimeoutMs, 500],
  [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '5' }, (s) => [s.limits.span.count, s.limits.logRecord.count], [5, 5]],
  [{ OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9' }, (s) => [s.limits.span.valueLength, s.limits.logRecord.valueLength], [9, 9]],
  [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '6' }, (s) => [s.limits.span.count, s.limits.logRecord.count], [6, 5]],
  [{ OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '7' }, (s) => [s.limits.span.valueLength, s.limits.logRecord.valueLength], [7, undefined]],
  [{ OTEL_SPAN_EVENT_COUNT_LIMIT: '1' }, (s) => s.limits.eventCount, 1],
  [{ OTEL_SPAN_LINK_COUNT_LIMIT: '0' }, (s) => s.limits.linkCount, 0],
  [{ OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '2' }, (s) => s.limits.attributesPerEvent, 2],
  [{ OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '3' }, (s) => s.limits.attributesPerLink, 3],
  [{ OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: '4' }, (s) => [s.limits.span.count, s.limits.logRecord.count], [128, 4]],
  [{ OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: '8' }, (s) => [s.limits.span.valueLength, s.limits.logRecord.valueLength], [undefined, 8]],
];

for (const [env, read, want] of values) {
  test(`${Object.entries(env).map((pair) => pair.join('=')).join(' ')} counts`, () => {
    const settings = settingsOf({ ...endpoint, ...env });
    assert.deepEqual(read(settings), want);
    const told = settings.effective.map(({ from }) => from);
    const silent = Object.keys(env).filter((name) => !told.includes(name) && !settings.problems.some(({ message }) => message.includes(name)));
    assert.deepEqual(silent.filter((name) => name !== 'OTEL_EXPORTER_OTLP_ENDPOINT'), []);
  });
}

test('each variable of the table is in the test above, or means something else that a test below looks at', () => {
  const tested = new Set(values.flatMap(([env]) => Object.keys(env)));
  const elsewhere = ['OTEL_CONFIG_FILE', 'OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL', 'OTEL_EXPORTER_PROMETHEUS_HOST', 'OTEL_EXPORTER_PROMETHEUS_PORT'];
  assert.deepEqual(variableNames.filter((name) => !tested.has(name)).sort(), elsewhere.sort());
});

/** What each refuses. The message names variable, value and what is accepted; what counts is the default. */
const refused: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector:4318', /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "collector:4318", without http:.*, accepted is an http or https URL .*; it is left aside$/],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://u:sesame@h', /is "http:\/\/\*\*\*@h", with a user name/],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'sesame', /^OTEL_EXPORTER_OTLP_HEADERS cannot be read at its 1st header, accepted is name=value/],
  ['OTEL_EXPORTER_OTLP_LOGS_HEADERS', 'a=%0d%0asesame: 1', /^OTEL_EXPORTER_OTLP_LOGS_HEADERS has a value with a line end/],
  ['OTEL_EXPORTER_OTLP_COMPRESSION', 'brotli', /is "brotli", accepted is gzip or none/],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', /is "10s", accepted is a whole number of milliseconds from 0 to 3600000/],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1', /is "-1"/],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/xml', /is "http\/xml", accepted is http\/json, http\/protobuf or grpc/],
  ['OTEL_EXPORTER_OTLP_CERTIFICATE', 'ca.pem', /is "ca.pem", accepted is an absolute path/],
  ['OTEL_EXPORTER_OTLP_CLIENT_KEY', '/k\n.pem', /is "\/k\\n.pem", accepted is an absolute path/],
  ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'both', /is "both", accepted is cumulative, delta or lowmemory/],
  ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', 'x', /accepted is explicit_bucket_histogram or base2/],
  ['OTEL_SDK_DISABLED', '1', /is "1", accepted is true or false/],
  ['OTEL_SDK_DISABLED', 'yes', /is "yes"/],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=b,%zz', /is "a=b,%zz", accepted is key=value,key=value with percent escapes/],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=b=c', /is "a=b=c"/],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=%ff', /is "a=%ff"/],
  ['OTEL_RESOURCE_ATTRIBUTES', '=b', /is "=b"/],
  ['OTEL_SERVICE_NAME', 'a\u0000b', /is "a\\u0000b"/],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote', /is "jaeger_remote", accepted is always_on, .* or parentbased_traceidratio/],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5', /is "1.5", accepted is a number from 0 to 1/],
  ['OTEL_TRACES_SAMPLER_ARG', 'NaN', /is "NaN"/],
  ['OTEL_TRACES_SAMPLER_ARG', '0x1', /is "0x1"/],
  ['OTEL_PROPAGATORS', 'b3', /is "b3", accepted is tracecontext, baggage or none; several/],
  ['OTEL_TRACES_EXPORTER', 'zipkin', /is "zipkin", accepted is otlp, console, otlp\/stdout or none; several/],
  ['OTEL_METRICS_EXPORTER', ',', /is ","/],
  ['OTEL_LOGS_EXPORTER', 'prometheus', /is "prometheus", accepted is otlp/],
  ['OTEL_BSP_SCHEDULE_DELAY', '1.5', /is "1.5"/],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '0', /is "0", accepted is a whole number from 1 to 1000000/],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '99999999999', /is "99999999999"/],
  ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 'many', /is "many"/],
  ['OTEL_METRIC_EXPORT_INTERVAL', '1', /is "1", accepted is a whole number of milliseconds from 100 to 86400000/],
  ['OTEL_ATTRIBUTE_COUNT_LIMIT', '1e9', /is "1e9"/],
  ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', '\u202e12', /is "\\u202e12"/],
];

for (const [name, text, message] of refused) {
  test(`${name}=${JSON.stringify(text)} is told and left aside`, () => {
    const settings = settingsOf({ ...endpoint, [name]: text });
    assert.equal(settings.problems.length, 1, words(settings));
    assert.match(words(settings), message);
    assert.match(words(settings), /; it is left aside$/);
    assert.doesNotMatch(words(settings), /sesame/);
    const { problems: _told, ...rest } = settings;
    const { problems: _none, ...byDefault } = settingsOf(endpoint);
    assert.deepEqual(rest, byDefault);
  });
}

test('a megabyte, NUL and control characters in any variable: bounded words, the default, nothing thrown', () => {
  for (const text of ['x'.repeat(1 << 20), 'a\u0000b', '\u001b[31mred', '%', '%zz', ',,,', '====', '\ud800', 'constructor', '__proto__=1', 'toString']) {
    for (const name of variableNames) {
      const settings = settingsOf({ ...endpoint, [name]: text });
      assert.ok(settings.problems.every(({ message }) => message.length < 500 && !/[\u0000-\u001f]/.test(message)), `${name}: ${words(settings).slice(0, 600)}`);
      assert.ok(settings.effective.every(({ value }) => value.length <= 16_400));
    }
  }
});

test('what is set and not done is said in words', () => {
  const said = (env: Readonly<Record<string, string>>): string => settingsOf({ ...endpoint, ...env }).problems.map(({ message, hint }) => `${message} | ${hint ?? ''}`).join('\n');
  assert.match(said({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }), /^OTEL_EXPORTER_OTLP_PROTOCOL is http\/protobuf; http\/json is sent instead/);
  assert.match(said({ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'GRPC' }), /^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is grpc, which is not spoken; .* \| Name the receiver's port for OTLP over HTTP, usually 4318, in the endpoint$/);
  assert.equal(said({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }), '');
  assert.match(said({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://h:4317' }), /names port 4317, where receivers usually speak gRPC, .* \| Use port 4318$/);
  assert.match(said({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://h/v1/traces' }), /ends in \/v1\/traces, and \/v1\/traces is put behind it \| Leave \/v1\/traces out, or set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT instead/);
  assert.match(said({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://h' }), /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, so traces go to https:\/\/h\/ \| Receivers usually take them at https:\/\/h\/v1\/traces/);
  assert.match(said({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://h/v1/traces' }), /ends in \/v1\/traces, and logs go there \| End it in \/v1\/logs/);
  assert.match(said({ OTEL_CONFIG_FILE: '/etc/otel.yaml' }), /OTEL_CONFIG_FILE names a file; it is not read, and the other OTEL_ variables count/);
  assert.match(said({ OTEL_EXPORTER_PROMETHEUS_HOST: 'h' }), /OTEL_EXPORTER_PROMETHEUS_HOST is not used: metrics are at \/metrics/);
  assert.match(said({ OTEL_EXPORTER_PROMETHEUS_PORT: '1' }), /OTEL_EXPORTER_PROMETHEUS_PORT is not used/);
  assert.match(said({ OTEL_PROPAGATORS: 'tracecontext,baggage' }), /^OTEL_PROPAGATORS names baggage, which is neither taken nor handed on/);
  assert.equal(said({ OTEL_PROPAGATORS: 'none' }), '');
  assert.match(said({ OTEL_METRICS_EXPORTER: 'prometheus,otlp' }), /prometheus, which is \/metrics of the control plane/);
  assert.match(said({ OTEL_TRACES_EXPORTER: 'console' }), /OTEL_TRACES_EXPORTER asks for console, and traces are not written to standard output \| For a look at them use .*file:/);
  assert.match(said({ OTEL_TRACES_EXPORTER: 'none,otlp' }), /names none beside others; the others count/);
  assert.match(said({ OTEL_TRACES_SAMPLER_ARG: '0.1' }), /^OTEL_TRACES_SAMPLER_ARG is 0\.1 and has no effect: the sampler parentbased_always_on keeps all \| Set OTEL_TRACES_SAMPLER=parentbased_traceidratio as well$/);
  assert.match(said({ OTEL_TRACES_SAMPLER: 'always_off', OTEL_TRACES_SAMPLER_ARG: '0.1' }), /the sampler always_off keeps none/);
  assert.equal(said({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' }), '');
  assert.match(said({ OTEL_BSP_MAX_QUEUE_SIZE: '10' }), /^OTEL_BSP_MAX_QUEUE_SIZE makes a batch of 512 larger than the queue of 10; a batch has 10/);
  assert.match(said({ OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/c.pem' }), /^OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is set without OTEL_EXPORTER_OTLP_CLIENT_KEY; neither is used/);
  assert.match(said({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4318', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x' }), /headers go to http:\/\/h:4318 over plain http: whoever is in between can read them \| Use https/);
});

test('a receiver on this machine is not sent gzip unless somebody asks for it', () => {
  const gzip = (env: Readonly<Record<string, string>>): boolean | undefined => routeOf(settingsOf(env), 'traces')?.gzip;
  assert.deepEqual(['http://localhost:4318', 'http://127.0.0.1:4318', 'http://[::1]:4318', 'http://collector:4318'].map((url) => gzip({ OTEL_EXPORTER_OTLP_ENDPOINT: url })), [false, false, false, true]);
  assert.equal(gzip({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }), true);
});

test('console and otlp/stdout are told, and otlp beside them counts', () => {
  const { destinations, problems } = settingsOf({ ...endpoint, OTEL_TRACES_EXPORTER: 'otlp,console', OTEL_LOGS_EXPORTER: 'otlp/stdout' });
  assert.deepEqual(destinations[0]?.signals, ['traces', 'metrics']);
  assert.deepEqual(problems.map(({ message }) => message), [
    'OTEL_TRACES_EXPORTER asks for console, and traces are not written to standard output', 'OTEL_LOGS_EXPORTER asks for otlp/stdout, and logs are not written to standard output',
  ]);
});

test('otlp asked for without an endpoint goes nowhere, and that is told', () => {
  const settings = settingsOf({ OTEL_TRACES_EXPORTER: 'otlp' });
  assert.equal(settings.isOn, false);
  assert.match(words(settings), /^OTEL_TRACES_EXPORTER asks for otlp, and no endpoint is configured: nothing is sent$/);
});

test('what stands above the environment wins, and the loser is named', () => {
  const settings = settingsOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/v1/traces', OTEL_SERVICE_NAME: 'env' }, {
    over: { endpoint: { value: 'https://ours', from: 'LOKI_OTEL_ENDPOINT' }, serviceName: { value: 'ours', from: 'LOKI_SERVICE_NAME' } },
    under: { timeout: { value: 5000, from: '/c.yaml:3' }, serviceName: { value: 'file', from: '/c.yaml:4' } },
  });
  assert.deepEqual(settings.destinations.map(({ name, signals }) => [name, signals]), [['https://ours', ['traces', 'metrics', 'logs']]]);
  assert.deepEqual([settings.resource['service.name'], routeOf(settings, 'logs')?.timeoutMs], ['ours', 5000]);
  assert.deepEqual(settings.effective.find(({ from }) => from === 'LOKI_SERVICE_NAME'), { name: 'service name', value: 'ours', from: 'LOKI_SERVICE_NAME', passedOver: ['OTEL_SERVICE_NAME', '/c.yaml:4'] });
  assert.equal(settings.effective.some(({ from }) => from === 'OTEL_EXPORTER_OTLP_ENDPOINT'), false);
});

test('a value above that cannot be used leaves the next one standing', () => {
  const settings = settingsOf({ OTEL_TRACES_SAMPLER: 'always_off' }, { over: { sampler: { value: 'sometimes', from: 'options.sampler' } } });
  assert.equal(settings.sampler.kind, 'always_off');
  assert.match(words(settings), /^options.sampler is "sometimes", accepted is/);
});

const token = new Map([['authorization', new Secret('sesame')]]);

test('headers and client keys of a file never go to an endpoint that the environment names', () => {
  const under = {
    endpoint: { value: 'https://company', from: '/etc/loki/config.yaml:3' }, headers: { value: token, from: '/etc/loki/config.yaml:4' },
    clientCertificate: { value: '/c.pem', from: '/etc/loki/config.yaml:5' }, clientKey: { value: '/k.pem', from: '/etc/loki/config.yaml:6' },
  };
  assert.deepEqual([headersOf(settingsOf({}, { under }), 'traces'), routeOf(settingsOf({}, { under }), 'traces')?.tls], [{ authorization: 'sesame' }, { cert: '/c.pem', key: '/k.pem' }]);
  for (const sources of [{ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://evil' } }, { env: {}, over: { endpoint: { value: 'https://evil', from: 'LOKI_OTEL_ENDPOINT' } } }]) {
    const settings = resolveSettings({ ...sources, under, usual: { serviceName: 's', resource: {} } });
    assert.deepEqual([settings.destinations[0]?.name, headersOf(settings, 'traces'), routeOf(settings, 'traces')?.tls], ['https://evil', {}, {}]);
    assert.match(words(settings), /^what \/etc\/loki\/config.yaml:4 says is not sent to https:\/\/evil: (?:OTEL_EXPORTER_OTLP|LOKI_OTEL)_ENDPOINT names another receiver than the file it stands in$/m);
  }
});

test('only the signal whose endpoint the environment names loses the file\'s headers', () => {
  const under = { endpoint: { value: 'https://company', from: '/c:3' }, headers: { value: token, from: '/c:4' } };
  const settings = settingsOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://evil/v1/traces' }, { under });
  assert.deepEqual([headersOf(settings, 'traces'), headersOf(settings, 'logs')], [{}, { authorization: 'sesame' }]);
});

test('headers for OpenTelemetry\'s receiver do not go to another that LOKI_OTEL_ENDPOINT names', () => {
  const over = { endpoint: { value: 'https://ours', from: 'LOKI_OTEL_ENDPOINT' } };
  const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=sesame' };
  assert.deepEqual(headersOf(settingsOf({ ...headers }, { over }), 'traces'), { authorization: 'sesame' });
  assert.deepEqual(headersOf(settingsOf({ ...headers, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://ours/x' }, { over }), 'traces'), { authorization: 'sesame' });
  const elsewhere = settingsOf({ ...headers, ...endpoint }, { over });
  assert.deepEqual(headersOf(elsewhere, 'traces'), {});
  assert.match(words(elsewhere), /^what OTEL_EXPORTER_OTLP_HEADERS says is not sent to https:\/\/ours: they are for the receiver in OTEL_EXPORTER_OTLP_ENDPOINT$/m);
});

test('signals of one place are one destination, of several places several', () => {
  const settings = settingsOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t.example.com/v1/traces', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'file:///srv/logs' });
  assert.deepEqual(settings.destinations.map(({ kind, name, signals }) => [kind, name, signals]), [
    ['http', 'https://t.example.com', ['traces']], ['http', 'https://otel.example.com', ['metrics']], ['file', 'file:///srv/logs', ['logs']],
  ]);
  assert.equal(new Set(settings.destinations.map(({ id }) => id)).size, 3);
});

test('a destination keeps its id when headers, query or signals change; two of one place are told apart', () => {
  const ids = (env: Readonly<Record<string, string>>): readonly string[] => settingsOf({ ...endpoint, ...env }).destinations.map(({ id }) => id);
  const [id] = ids({});
  assert.deepEqual(ids({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_LOGS_EXPORTER: 'none' }), [id]);
  assert.deepEqual(ids({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example.com?key=sesame' }), [id]);
  const further = [{ endpoint: { value: { kind: 'http', url: 'https://otel.example.com/', shown: 'https://otel.example.com', host: 'otel.example.com', port: 443, path: '/' }, from: 'x' } }] as const;
  assert.deepEqual(settingsOf(endpoint, { further }).destinations.map((each) => [each.id, each.name]), [[id, 'https://otel.example.com'], [`${id ?? ''}-2`, 'https://otel.example.com (2)']]);
});

test('further destinations have what is their own and nothing of the first', () => {
  const further = [{
    endpoint: { value: { kind: 'http', url: 'https://dx.example.com/', shown: 'https://dx.example.com', host: 'dx.example.com', port: 443, path: '/' }, from: '/c:7 [0]' },
    headers: new Map([['x-key', new Secret('k')]]), signals: ['metrics'], temporality: 'delta', compression: 'none', timeoutMs: 3000, tls: { ca: '/dx.pem' },
  }] as const;
  const { destinations } = settingsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=sesame', OTEL_METRICS_EXPORTER: 'none' }, { further });
  const [first, second] = destinations;
  assert.deepEqual([first?.temporality, second?.temporality, second?.signals], ['cumulative', 'delta', ['metrics']]);
  assert.ok(second?.kind === 'http');
  const route = second.routes.metrics;
  assert.deepEqual([route?.url, [...route?.headers.keys() ?? []], route?.gzip, route?.timeoutMs, route?.tls], ['https://dx.example.com/v1/metrics', ['x-key'], false, 3000, { ca: '/dx.pem' }]);
});

test('a host that may not be reached switches its destination off, and only that', () => {
  const settings = settingsOf({ ...endpoint, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'file:///srv/logs' }, { refused: (host) => (host === 'otel.example.com' ? 'it is far away' : undefined) });
  assert.deepEqual(settings.destinations.map(({ name }) => name), ['file:///srv/logs']);
  assert.match(words(settings), /^nothing is sent to https:\/\/otel.example.com \(OTEL_EXPORTER_OTLP_ENDPOINT\): it is far away$/);
});

test('no secret is in what people are shown', () => {
  const settings = settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://h/p?key=sesame', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=sesame,x=y' });
  assert.doesNotMatch(JSON.stringify([settings.effective, settings.problems, settings.destinations.map(({ id, name }) => [id, name])]), /sesame/);
  assert.deepEqual(settings.effective.map(({ name, value, from }) => [name, value, from]), [
    ['endpoint', 'https://h/p', 'OTEL_EXPORTER_OTLP_ENDPOINT'], ['headers', 'authorization, x', 'OTEL_EXPORTER_OTLP_HEADERS'],
  ]);
});

test('the table says of every variable what it is', () => {
  for (const { name, meaning, sort } of Object.values(variables)) {
    assert.match(name, /^OTEL_[A-Z0-9_]+$/);
    assert.ok(meaning.length > 5 && sort.accepts.length > 3, name);
  }
  assert.equal(new Set(variableNames).size, variableNames.length);
});
