/** What a hook goes by is what the table of all variables says, whatever is set; and for what is set nearly always, the table is not asked. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { makingSettings, shortSettings, type MakingSource } from '../../../lib/app/telemetry/making-settings.ts';
import { makingOf } from '../../../lib/app/telemetry/parts.ts';
import { resolveTelemetry } from '../../../lib/app/telemetry/settings.ts';
import { homeLayout } from '../../../lib/config/layout.ts';
import { variableNames } from '../../../lib/telemetry/variables.ts';
import { configOf, type Layers } from '../../support/config.ts';

function sourceOf(layers: Layers): MakingSource {
  return { config: configOf(layers), surroundings: { env: layers.env ?? {}, cwd: '/', homeDirectory: '/home/u' }, home: homeLayout('/home/u/.loki'), host: { facts: { hostname: 'box' } } };
}

/** All that is made with, where nobody says anything of it; how often things are sent is no matter of whoever hands over. */
const usual = { ...told(makingOf(resolveTelemetry(sourceOf({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h' } })))), resource: undefined };

function told(making: object): object {
  return JSON.parse(JSON.stringify(making, (name, value: unknown) => (name === 'delayMs' || name === 'exportTimeoutMs' ? undefined : value))) as object;
}

/** Holds both readings against each other; gives how it was answered. */
async function compare(layers: Layers): Promise<'short' | 'table'> {
  const source = sourceOf(layers);
  const settings = resolveTelemetry(source);
  const short = shortSettings(source);
  const expected = settings.isOn ? told(makingOf(settings)) : undefined;
  const found = await makingSettings(source);
  assert.deepEqual(found === undefined ? undefined : { ...usual, ...told(found) }, expected, JSON.stringify(layers));
  return short === undefined ? 'table' : 'short';
}

const endpoint = 'enterprise: {telemetry: {endpoint: "http://otel.example:4318"}}';

test('what is set nearly always is answered without the table', async () => {
  const usualLayers: readonly Layers[] = [
    { organisation: endpoint }, { user: endpoint }, { env: { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:4318' } }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: ' https://[::1]:4318/x?token=1 ' } }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///srv/telemetry' } },
    { organisation: endpoint, env: { LOKI_SERVICE_NAME: 'ours', OTEL_SERVICE_NAME: 'theirs' } }, { organisation: endpoint, env: { OTEL_SERVICE_NAME: ' theirs ' } }, { organisation: endpoint, env: { OTEL_SERVICE_NAME: 'two\tparts' } }, { organisation: 'enterprise: {telemetry: {endpoint: "http://h", service_name: "a b"}}' },
    { organisation: endpoint, env: { OTEL_RESOURCE_ATTRIBUTES: 'team=a%2Cb, host.name=other ,' } },
    { organisation: endpoint, env: { OTEL_METRICS_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret', OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_BSP_SCHEDULE_DELAY: '7' } },
    ...['always_off', 'parentbased_traceidratio', 'traceidratio', 'always_on'].map((sampler) => ({ organisation: `enterprise: {telemetry: {endpoint: "http://h", sampler: ${sampler}, sampler_arg: 0.25}}` })),
    { organisation: 'enterprise: {telemetry: {endpoint: "http://h", sampler_arg: 0.25, destinations: [{endpoint: "http://169.254.169.254", signals: [logs]}]}}' },
    { organisation: `residency: {air_gapped: true}\n${endpoint}`, env: { LOKI_ALLOWED_INTERNAL_HOSTS: 'otel.example' } },
  ];
  for (const each of usualLayers) assert.equal(await compare(each), 'short', JSON.stringify(each));
});

test('what is wrong, refused or set otherwise is for the table to say', async () => {
  const others: readonly Layers[] = [
    {}, { env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://h/v1/traces' } }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' } }, { organisation: endpoint, env: { OTEL_SDK_DISABLED: 'TRUE' } },
    { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://169.254.169.254' } }, { organisation: endpoint, project: 'residency: {air_gapped: true}' }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///home/u/.loki/x' } }, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///home/u/.loki' } },
    { organisation: endpoint, env: { OTEL_LOGS_EXPORTER: 'none' } }, { organisation: endpoint, env: { OTEL_TRACES_EXPORTER: 'OTLP' } }, { organisation: endpoint, env: { OTEL_RESOURCE_ATTRIBUTES: 'service.name=theirs' } },
    { organisation: endpoint, env: { OTEL_RESOURCE_ATTRIBUTES: 'a=b,c' } }, { organisation: endpoint, env: { LOKI_SERVICE_NAME: 'naïve' } },
    { organisation: 'enterprise: {telemetry: {destinations: [{endpoint: "http://h", signals: [logs]}]}}' },
  ];
  for (const each of others) assert.equal(await compare(each), 'table', JSON.stringify(each));
});

test('every variable there is leads to the same, with a value of each sort', async () => {
  const values = ['7', 'true', 'none', 'traceidratio', 'a=b', 'http://other:1', 'delta', 'x'.repeat(17_000)];
  let short = 0;
  for (const name of variableNames) {
    for (const value of values) if (await compare({ organisation: endpoint, env: { [name]: value } }) === 'short') short += 1;
  }
  assert.ok(short > variableNames.length, 'most of them have no say in what is made');
});
