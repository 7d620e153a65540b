/** `loki-enterprise/telemetry`, as a program that embeds it uses it: against a receiver that checks every payload, and with nothing configured. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createTelemetry, parseTraceparent, traceparentOf, type TelemetryOptions } from '../../lib/entry/telemetry.ts';
import { endOf, treeRoot } from '../support/child.ts';
import { startCollector } from '../support/fake-collector.ts';
import { checkPayload } from '../support/otlp-schema.ts';
import { packageRoot } from '../support/root.ts';

test('spans, metrics and log records arrive, right and as the program that told them', async (t) => {
  const collector = await startCollector(t);
  const telemetry = createTelemetry({ endpoint: collector.url, serviceName: 'shop', headers: { 'x-key': 'a, b=c' }, resource: { 'service.version': '1.2' }, scope: { name: 'checkout', version: '3' }, env: {} });
  assert.deepEqual([telemetry.isOn, telemetry.problems], [true, []]);
  const parent = parseTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  const span = telemetry.tracer.startSpan('buy', { kind: 'server', parent, attributes: { items: 3 } }).addEvent('paid').setStatus('ok');
  telemetry.logger.emit({ name: 'bought', severity: 'info', body: 'a thing', context: span.context });
  telemetry.meter.createCounter('shop.sales', { unit: '{sale}' }).add(1, { kind: 'book' }, span.context);
  telemetry.meter.createHistogram('shop.wait', { unit: 's', bounds: [1, 10] }).record(2);
  span.end();
  assert.equal(await telemetry.flush(5000), true);
  const [told] = collector.spans();
  assert.deepEqual([told?.name, told?.traceId, told?.parentSpanId], ['buy', '0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']);
  assert.match(traceparentOf(span.context), /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
  assert.equal(collector.logs().length, 1);
  assert.deepEqual(collector.metrics().map(({ name }) => name).sort(), ['shop.sales', 'shop.wait']);
  for (const { headers, body } of collector.received) {
    assert.equal(headers['x-key'], 'a, b=c');
    assert.match(body, /"service\.name","value":\{"stringValue":"shop"\}.*"service\.version".*"scope":\{"name":"checkout","version":"3"\}/);
  }
  await telemetry.shutdown(5000);
  telemetry.tracer.startSpan('late').end();
  assert.deepEqual(telemetry.dropped(), { 'traces shutdown': 1 });
});

test('variables of the environment count, and options count above them', async (t) => {
  const collector = await startCollector(t);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'from-env', OTEL_TRACES_SAMPLER: 'always_off', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1', OTEL_METRIC_EXPORT_INTERVAL: 'often' };
  const telemetry = createTelemetry({ sampler: 'always_on', env });
  telemetry.tracer.startSpan('a', { attributes: { a: 1, b: 2 } }).end();
  await telemetry.shutdown(5000);
  assert.match(collector.received[0]?.body ?? '', /"from-env".*"droppedAttributesCount":1/);
  assert.deepEqual(telemetry.problems.map(({ message }) => /OTEL_METRIC_EXPORT_INTERVAL is "often", accepted is/.test(message)), [true]);
});

test('histograms are exponential where the variable asks for them', async (t) => {
  const collector = await startCollector(t);
  const telemetry = createTelemetry({ endpoint: collector.url, env: { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'BASE2_exponential_bucket_histogram' } });
  telemetry.meter.createHistogram('shop.wait', { unit: 's', bounds: [1, 10] }).record(2);
  await telemetry.shutdown(5000);
  assert.deepEqual([telemetry.problems, collector.metrics().map(({ name }) => name)], [[], ['shop.wait']]);
  assert.match(collector.received.map(({ body }) => body).join(), /"exponentialHistogram":.*"scale":20,"zeroCount":"0","positive":\{"offset":1048575,"bucketCounts":\["1"\]\}/);
});

test('a folder takes OTLP files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loki telemetry '));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const telemetry = createTelemetry({ endpoint: pathToFileURL(folder).href, env: {} });
  telemetry.tracer.startSpan('a').end();
  await telemetry.shutdown(5000);
  const files = readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith('.jsonl'));
  assert.equal(files.length, 1);
  assert.deepEqual(checkPayload('traces', readFileSync(join(folder, files[0] ?? ''), 'utf8').trimEnd()), []);
});

test('where no receiver is named, nothing is made', async () => {
  for (const env of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, { OTEL_SERVICE_NAME: 'x' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'TRUE' }]) {
    const telemetry = createTelemetry({ env });
    assert.deepEqual([telemetry.isOn, telemetry.problems], [false, []]);
    const span = telemetry.tracer.startSpan('a').setAttribute('a', 1);
    assert.equal(span.isRecording, false);
    telemetry.meter.createCounter('a').bind({}).add(1);
    telemetry.meter.createObservableGauge('b', {}, () => assert.fail())();
    telemetry.logger.emit({ severity: 'info' });
    assert.deepEqual([await telemetry.flush(), await telemetry.shutdown(), telemetry.dropped()], [true, undefined, {}]);
  }
});

test('what cannot be used is told, and nothing rejects', async () => {
  const cases: readonly (readonly [TelemetryOptions, RegExp])[] = [
    [{ endpoint: 'nonsense', env: {} }, /^options\.endpoint .*accepted is/],
    [{ endpoint: 7 as never, env: {} }, /^options\.endpoint is "7"/],
    [{ endpoint: 'http://127.0.0.1:9', headers: { 'bad name': 'secret-value' }, env: {} }, /^options\.headers/],
    [{ endpoint: { toString(): string { throw new Error('no'); } } as never, env: {} }, /^telemetry is off/],
    [null as never, /^telemetry is off/],
    [{ get env(): never { throw new Error('no'); } }, /^telemetry is off: no$/],
    [new Proxy({}, { get(): never { throw Symbol('no'); } }), /^telemetry is off: its options cannot be read$/],
  ];
  for (const [options, words] of cases) {
    const telemetry = createTelemetry(options);
    assert.match(telemetry.problems[0]?.message ?? '', words);
    assert.doesNotMatch(JSON.stringify(telemetry.problems), /secret-value/);
    await telemetry.shutdown(100);
  }
});

test('what it gives is there at once, and can be awaited all the same', async () => {
  const telemetry = createTelemetry({ endpoint: 'http://127.0.0.1:9', env: {} });
  assert.equal(telemetry.tracer.startSpan('a').isRecording, true);
  assert.equal('then' in telemetry, false);
  assert.equal(await telemetry, telemetry);
  await telemetry.shutdown(1);
});

test('a receiver that is not there: flush says so in time, and the program goes on', async () => {
  const telemetry = createTelemetry({ endpoint: 'http://127.0.0.1:9', env: {} });
  telemetry.tracer.startSpan('a').end();
  const before = performance.now();
  assert.equal(await telemetry.flush(300), false);
  await telemetry.shutdown(300);
  assert.ok(performance.now() - before < 5000);
  assert.deepEqual(telemetry.dropped(), { 'traces shutdown': 1 });
});

/** Only built modules can be counted. */
const built = treeRoot.endsWith('dist') ? treeRoot : join(packageRoot, 'dist');

/** Modules of ours that a script loads, by stage. */
async function loaded(t: TestContext, script: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const home = mkdtempSync(join(tmpdir(), 'loki-modules-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const hook = `let port; export function initialize(data) { port = data.port; } export async function load(url, context, next) { port.postMessage(url); return next(url, context); }`;
  const whole = `
    import { register } from 'node:module';
    const { port1, port2 } = new MessageChannel(); const seen = {}; let stage = 'import';
    port1.on('message', (url) => { if (url.startsWith(${JSON.stringify(pathToFileURL(built).href)})) (seen[stage] ??= []).push(url.split('/lib/')[1]); });
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}), { data: { port: port2 }, transferList: [port2] });
    const next = async (name) => { await new Promise((resolve) => setTimeout(resolve, 50)); stage = name; };
    const { createTelemetry } = await import(${JSON.stringify(pathToFileURL(join(built, 'lib/entry/telemetry.js')).href)});
    ${script}
    await next('end'); console.log(JSON.stringify(seen)); process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', whole], { cwd: home, env: { PATH: process.env['PATH'], HOME: home }, timeout: 20_000, killSignal: 'SIGKILL' });
  const { exit, stdout, stderr } = await endOf(child);
  assert.deepEqual([exit, stderr], [0, '']);
  return JSON.parse(stdout);
}

test('not configured or configured, one file is loaded at the start, and one more when there is something to send', async (t) => {
  if (!existsSync(join(built, 'lib/entry/telemetry-later.js'))) return t.diagnostic('dist/ is not here, or plain: modules were not counted');
  const off = await loaded(t, 'await next("off"); createTelemetry().tracer.startSpan("a").end();');
  assert.deepEqual(off, { import: ['entry/telemetry.js'] });
  const on = await loaded(t, 'await next("start"); const telemetry = createTelemetry({ endpoint: "http://127.0.0.1:9" }); telemetry.tracer.startSpan("a").end(); telemetry.meter.createCounter("c").add(1); await next("send"); await telemetry.flush(50);');
  return assert.deepEqual(on, { import: ['entry/telemetry.js'], send: ['entry/telemetry-later.js'] });
});
