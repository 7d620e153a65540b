/** Telemetry of an installation: files, our variables and OpenTelemetry's between them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { resolveTelemetry } from '../../../lib/app/telemetry/settings.ts';
import { isTelemetryOn } from '../../../lib/app/telemetry/telemetry.ts';
import { homeLayout } from '../../../lib/config/layout.ts';
import type { TelemetrySettings } from '../../../lib/telemetry/settings.ts';
import { configOf, type Layers } from '../../support/config.ts';

function settingsOf(layers: Layers): TelemetrySettings {
  const env = layers.env ?? {};
  return resolveTelemetry({ config: configOf(layers), surroundings: { env, cwd: '/', homeDirectory: '/home/u' }, home: homeLayout('/home/u/.loki'), host: { facts: { hostname: 'box' } } });
}

function words({ problems }: TelemetrySettings): string {
  return problems.map(({ message }) => message).join('\n');
}

const organisation = 'enterprise: {telemetry: {endpoint: "https://otel.company.example", headers: {Authorization: sesame}}}';

test('where nobody says anything, telemetry is off and nothing is told', () => {
  const settings = settingsOf({});
  assert.deepEqual([settings.isOn, settings.destinations, settings.problems, settings.effective], [false, [], [], []]);
  assert.equal(isTelemetryOn(configOf({}), { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: '' }), false);
});

test('each way of naming a receiver switches telemetry on, as far as a look and in truth', () => {
  const layers: readonly Layers[] = [
    { organisation }, { user: 'enterprise: {telemetry: {destinations: [{endpoint: "http://h:4318"}]}}' }, { env: { LOKI_OTEL_ENDPOINT: 'http://h' } }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h' } },
    { env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://h/v1/traces' } }, { env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://h/v1/metrics' } }, { env: { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'file:///srv/x' } },
  ];
  for (const each of layers) assert.deepEqual([settingsOf(each).isOn, isTelemetryOn(configOf(each), each.env)], [true, true], JSON.stringify(each));
});

test('the order: LOKI_*, then OTEL_*, then the organisation\'s file, then the user\'s', () => {
  const user = 'enterprise: {telemetry: {endpoint: "https://user.example", service_name: theirs}}';
  const name = (layers: Layers): unknown => settingsOf(layers).destinations.map((each) => each.name);
  assert.deepEqual(name({ user }), ['https://user.example']);
  assert.deepEqual(name({ user, organisation }), ['https://otel.company.example']);
  const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.example/v1/logs' };
  assert.deepEqual(name({ user, organisation, env: otel }), ['https://otel.example', 'https://logs.example']);
  assert.deepEqual(name({ user, organisation, env: { ...otel, LOKI_OTEL_ENDPOINT: 'https://loki.example' } }), ['https://loki.example']);
  assert.equal(settingsOf({ user }).resource['service.name'], 'theirs');
  assert.equal(settingsOf({ user, env: { OTEL_RESOURCE_ATTRIBUTES: 'service.name=env' } }).resource['service.name'], 'env');
  assert.equal(settingsOf({ user, env: { LOKI_SERVICE_NAME: 'ours', OTEL_SERVICE_NAME: 'env' } }).resource['service.name'], 'ours');
});

test('exponential histograms are not what /metrics has, and that is told', () => {
  const { metrics, problems } = settingsOf({ organisation, env: { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram' } });
  assert.equal(metrics.histograms, 'base2_exponential_bucket_histogram');
  assert.deepEqual(problems.map(({ message }) => message), ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION is base2_exponential_bucket_histogram; the metrics of this program are sent with the buckets that they have at /metrics']);
});

test('every value says where it comes from', () => {
  const { effective } = settingsOf({ organisation: `${organisation}\n`, env: { OTEL_TRACES_SAMPLER: 'always_off', LOKI_SERVICE_NAME: 'x' } });
  assert.deepEqual(effective.map(({ name, value, from }) => [name, value, from]).sort(), [
    ['endpoint', 'https://otel.company.example', '/etc/loki/config.yaml:1'], ['headers', 'authorization', '/etc/loki/config.yaml:1'],
    ['service name', 'x', 'LOKI_SERVICE_NAME'], ['traces sampler', 'always_off', 'OTEL_TRACES_SAMPLER'],
  ].map(([name, value, from]) => [name, value, from]).sort());
});

test('an agent that writes our environment cannot have the company\'s token sent elsewhere', () => {
  for (const env of [{ LOKI_OTEL_ENDPOINT: 'https://evil.example' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://evil.example' }, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://evil.example/v1/traces' }]) {
    const settings = settingsOf({ organisation, env });
    const evil = settings.destinations.find(({ name }) => name === 'https://evil.example');
    assert.ok(evil?.kind === 'http');
    assert.deepEqual(Object.values(evil.routes).map(({ headers }) => headers.size), Object.values(evil.routes).map(() => 0));
    assert.match(words(settings), /says is not sent to https:\/\/evil.example(?:\/v1\/traces)?: /);
  }
});

test('the resource names program and machine, and neither a person nor a path', () => {
  const { resource } = settingsOf({ organisation });
  assert.deepEqual(Object.keys(resource).sort(), ['host.name', 'service.name', 'service.version', 'telemetry.sdk.language', 'telemetry.sdk.name', 'telemetry.sdk.version']);
  assert.deepEqual([resource['service.name'], resource['host.name']], ['loki-mode', 'box']);
  assert.equal(settingsOf({ organisation, env: { OTEL_RESOURCE_ATTRIBUTES: 'host.name=hidden' } }).resource['host.name'], 'hidden');
});

test('where it is air-gapped, only this machine, folders and what is listed are sent to', () => {
  const user = 'residency: {air_gapped: true}\nenterprise: {egress: {allow_internal: [otel.inside]}, telemetry: {endpoint: "https://otel.example", destinations: [{endpoint: "http://localhost:4318"}, {endpoint: "file:///srv/x"}, {endpoint: "https://otel.inside"}]}}';
  const settings = settingsOf({ user });
  assert.deepEqual(settings.destinations.map(({ name }) => name), ['http://localhost:4318', 'file:///srv/x', 'https://otel.inside']);
  assert.match(words(settings), /^nothing is sent to https:\/\/otel.example \(\/home\/u\/.loki\/config.yaml:2\): residency.air_gapped is true/);
});

test('a metadata service is no receiver unless it is listed', () => {
  const metadata = (host: string, more = ''): TelemetrySettings => settingsOf({ user: `enterprise: {telemetry: {endpoint: "http://${host}/latest"}${more}}` });
  for (const host of ['169.254.169.254', '[fe80::1]', '0.0.0.0']) {
    assert.deepEqual([metadata(host).isOn, metadata(host).destinations], [false, []], host);
    assert.match(words(metadata(host)), /if that is really the receiver, list it in LOKI_ALLOWED_INTERNAL_HOSTS/);
  }
  assert.equal(metadata('169.254.169.254', ', egress: {allow_internal: [169.254.169.254]}').isOn, true);
  assert.equal(metadata('10.0.0.7').isOn, true);
});

test('no files of telemetry are put among our records', () => {
  for (const folder of ['/home/u/.loki', '/home/u/.loki/dashboard/audit', '/home/u/x/../.loki/keys']) {
    const settings = settingsOf({ env: { LOKI_OTEL_ENDPOINT: `file://${folder}` } });
    assert.deepEqual([settings.isOn, settings.destinations], [false, []], folder);
    assert.match(words(settings), /no files of telemetry are put into LOKI_HOME \(\/home\/u\/.loki\), which holds records/);
  }
  assert.equal(settingsOf({ env: { LOKI_OTEL_ENDPOINT: 'file:///home/u/.lokis' } }).isOn, true);
});

test('OTEL_SDK_DISABLED switches all of it off, further destinations too', () => {
  const settings = settingsOf({ organisation, env: { OTEL_SDK_DISABLED: 'true' } });
  assert.deepEqual([settings.isOn, settings.offBecause], [false, 'OTEL_SDK_DISABLED is true']);
});
