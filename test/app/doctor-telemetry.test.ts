/** `loki doctor telemetry`: what is told of settings, what receivers answer, and what to do about it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { areaNames, examine, type Finding } from '../../lib/app/doctor/doctor.ts';
import { startCollector, type Behaviour, type FakeCollector } from '../support/fake-collector.ts';
import { makeGround, type Ground } from '../support/ground.ts';
import { fixture } from '../support/root.ts';

type Env = Readonly<Record<string, string>>;

async function look(here: Ground, env: Env = {}): Promise<ReadonlyMap<string, Finding>> {
  const findings = await examine({ env: { ...here.env, ...env }, cwd: here.project, homeDirectory: here.root }, {}, ['telemetry']);
  return new Map(findings.map((each) => [each.check, each]));
}

function says(found: ReadonlyMap<string, Finding>, check: string, status: string, words: RegExp, repair?: RegExp): void {
  const one = found.get(check);
  assert.ok(one !== undefined, `there is a check "${check}"`);
  assert.equal(one.status, status, `${one.found} (${one.repair ?? ''})`);
  assert.match(one.found, words);
  if (repair === undefined) assert.equal(one.repair, undefined);
  else assert.match(one.repair ?? '', repair);
}

/** What is found when a receiver treats each request so. */
async function answered(t: TestContext, behaviour: Behaviour, path = '', env: Env = {}): Promise<ReadonlyMap<string, Finding>> {
  const here = makeGround(t);
  const collector = await startCollector(t);
  collector.always(behaviour);
  return look(here, { LOKI_OTEL_ENDPOINT: `${collector.url}${path}`, ...env });
}

test('off: every check says so, nothing is wrong and nothing is made', async (t) => {
  const here = makeGround(t);
  const found = await look(here);
  assert.ok([...found.values()].every(({ status }) => status === 'ok'));
  says(found, 'settings', 'ok', /^telemetry is off: no receiver is configured\. LOKI_OTEL_ENDPOINT=/);
  says(await look(here, { OTEL_SDK_DISABLED: 'true', LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1' }), 'settings', 'ok', /^telemetry is off: OTEL_SDK_DISABLED is true$/);
  assert.equal(existsSync(here.home), false);
});

test('a receiver that is named and cannot be used: that is told, and not that nobody asked', async (t) => {
  const here = makeGround(t);
  const found = await look(here, { LOKI_OTEL_ENDPOINT: 'localhost:4318' });
  says(found, 'settings', 'fail', /^telemetry is off: the receiver that is named cannot be used; problems says why$/, /Correct what problems names/);
  says(found, 'problems', 'warn', /LOKI_OTEL_ENDPOINT is "localhost:4318", without http:\/\/ or https:\/\/ before it, accepted is/, /Correct what the message names/);
  says(await look(here, { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }), 'settings', 'fail', /cannot be used/, /./);
  says(await look(here, { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' }), 'settings', 'ok', /^telemetry is off: OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER ask for no signal to be sent$/);
  here.write('home/config.yaml', 'enterprise:\n  telemetry:\n    endpoint: grpc://localhost:4317\n');
  says(await look(here), 'problems', 'warn', /config\.yaml:3: enterprise\.telemetry\.endpoint in the user file is "grpc:\/\/localhost:4317"/, /./);
  const status = await here.loki(['telemetry', 'status']);
  assert.match(status.stdout, /^telemetry: off: the receiver that is named cannot be used\n {2}problem {2}[^\n]*config\.yaml:3: enterprise\.telemetry\.endpoint/);
});

test('a receiver that takes everything: one span, one point and one record reach it, each right', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const found = await look(here, { LOKI_OTEL_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20sesame-sesame' });
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    says(found, signal, 'ok', /^http:\/\/127\.0\.0\.1:\d+: it answered 200 \(after \d+ ms\)$/);
    assert.equal(collector.count(signal), 1);
  }
  assert.deepEqual([collector.spans()[0]?.name, collector.metrics()[0]?.name], ['loki.probe', 'loki_probe']);
  assert.ok(collector.received.every(({ headers }) => headers.authorization === 'Bearer sesame-sesame'));
  says(found, 'clocks', 'ok', /^within \d second/);
  says(found, 'settings', 'ok', /^http:\/\/127\.0\.0\.1:\d+ \(traces, metrics, logs, cumulative\); up to 64 MB for each are kept on disk$/);
  says(found, 'values', 'ok', /^endpoint: http:\/\/127\.0\.0\.1:\d+ from LOKI_OTEL_ENDPOINT; headers: authorization from OTEL_EXPORTER_OTLP_HEADERS$/);
  assert.doesNotMatch(JSON.stringify([...found.values()]), /sesame/);
  assert.equal(existsSync(join(here.home, 'spool')), false);
});

test('a process of its own waits for the answers, and tells them', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const good = await here.process(['doctor', 'telemetry', '--json'], { env: { LOKI_OTEL_ENDPOINT: collector.url } });
  assert.equal(good.exit, 0, good.stderr);
  assert.match(good.stdout, /"check":\s*"traces"[^}]*it answered 200/);
  collector.always({ afterMs: 500, status: 401 });
  const refused = await here.process(['doctor', 'telemetry'], { env: { LOKI_OTEL_ENDPOINT: collector.url } });
  assert.equal(refused.exit, 1, refused.stderr);
  assert.match(refused.stdout, /FAIL\s+traces\s.*it answered 401/);
});

test('without naming the area nobody is asked', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const findings = await examine({ env: { ...here.env, LOKI_OTEL_ENDPOINT: collector.url }, cwd: here.project, homeDirectory: here.root }, {}, areaNames);
  assert.match(findings.find(({ area, check }) => area === 'telemetry' && check === 'traces')?.found ?? '', /^not asked: loki doctor telemetry asks$/);
  assert.equal(collector.connections(), 0);
});

/** What a receiver does, and what is said of it. */
const cases: readonly (readonly [what: string, behaviour: Behaviour, path: string, status: 'warn' | 'fail', words: RegExp, repair: RegExp])[] = [
  ['refuses a point', { rejected: 1, message: 'cumulative temporality is not supported' }, '', 'fail', /it rejected 1 of 1: cumulative temporality is not supported/, /Metrics are told as cumulative; try OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta/],
  ['warns', { rejected: 0, message: 'this endpoint goes away in May' }, '', 'warn', /this endpoint goes away in May/, /receiver's own log/],
  ['has nothing at a doubled path', 404, '/v1/metrics', 'fail', /it answered 404/, /^The path is \/v1\/metrics\/v1\/metrics: leave \/v1\/… out of the endpoint/],
  ['has nothing there', 404, '/elsewhere', 'fail', /it answered 404/, /^Look which path the receiver takes metrics at: \/elsewhere\/v1\/metrics is not it/],
  ['takes no POST', 405, '', 'fail', /it answered 405/, /Something else than an OTLP receiver/],
  ['takes no JSON', 415, '', 'fail', /it answered 415; it takes no JSON there/, /application\/json/],
  ['wants credentials', 401, '', 'fail', /it answered 401; it wants credentials/, /enterprise\.telemetry\.headers/],
  ['reads ids as base64', { status: 400, body: '{"code":3,"message":"ReadTraceIDs: invalid length for ID"}' }, '', 'fail', /invalid length for ID/, /ids as base64, and OTLP\/JSON has them in hexadecimal/],
  ['reads protobuf only', { status: 400, headers: { 'content-type': 'text/plain' }, body: 'proto: cannot parse invalid wire-format data' }, '', 'fail', /cannot parse invalid wire-format/, /protobuf only/],
  ['leads elsewhere', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, '', 'fail', /redirects are not followed/, /Name the address it leads to/],
  ['is overloaded', 503, '', 'fail', /it answered 503/, /waits on disk/],
  ['answers with a page', 'html', '', 'fail', /^[^ ]+: it answered 200 with a web page; check that the endpoint is an OTLP receiver/, /no OTLP receiver, or a login/],
  ['fails', 500, '', 'fail', /it answered 500/, /what it answers so is dropped, and not sent again/],
  ['breaks off', 'reset', '', 'fail', /broke the connection off/, /Look whether the receiver runs.*https:\/\//],
  ['speaks something else', 'noise', '', 'fail', /./, /does not speak plain HTTP there|Look whether/],
  ['wants TLS', { status: 400, headers: { 'content-type': 'text/plain' }, body: 'Client sent an HTTP request to an HTTPS server.' }, '', 'fail', /HTTPS server/, /try https:\/\//],
  ['is far from our time', { status: 400, body: '{"code":3,"message":"sample timestamp too old"}' }, '', 'fail', /too old/, /Compare the clocks/],
];

for (const [what, behaviour, path, status, words, repair] of cases) {
  test(`a receiver that ${what} is told in words, with what to do`, async (t) => {
    says(await answered(t, behaviour, path), 'metrics', status, words, repair);
  });
}

test('an endpoint of one signal without its path is told as what it is', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t, { lenient: true });
  collector.always(404);
  const found = await look(here, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url });
  says(found, 'traces', 'fail', /it answered 404/, /^The path is \/: the endpoint of one signal is used as it is; end it in \/v1\/traces$/);
  says(found, 'metrics', 'ok', /^no receiver is sent metrics$/);
  says(found, 'problems', 'warn', /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, so traces go to/, /Receivers usually take them at/);
});

test('nobody listens, and a name that leads nowhere', async (t) => {
  const here = makeGround(t);
  says(await look(here, { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1' }), 'logs', 'fail', /nothing listens there/, /Start the receiver, or correct host and port; .* 4318/);
  says(await look(here, { LOKI_OTEL_ENDPOINT: 'http://nowhere.invalid:4318' }), 'logs', 'fail', /nowhere\.invalid/, /Correct the name|Look whether/);
});

test('a port for gRPC: told before and after it was asked', async (t) => {
  // What an HTTP/2 server says to HTTP/1.1: its SETTINGS frame, which is no HTTP/1.1.
  const server = net.createServer((socket) => { socket.on('error', () => undefined).resume().end(Buffer.from('00000604000000000000040000ffff', 'hex')); });
  await new Promise<void>((resolve) => { server.listen(4317, '127.0.0.1', resolve).once('error', () => resolve()); });
  t.after(() => new Promise((resolve) => { server.close(resolve); }));
  if (!server.listening) return t.skip('port 4317 is taken');
  const found = await look(makeGround(t), { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:4317' });
  says(found, 'problems', 'warn', /LOKI_OTEL_ENDPOINT names port 4317, where receivers usually speak gRPC/, /Use port 4318/);
  says(found, 'traces', 'fail', /./, /how a port for gRPC answers: use the port for OTLP over HTTP, usually 4318/);
});

test('TLS: a certificate nobody here trusts, one that is trusted, plain HTTP behind https', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t, { tls: 'server' });
  says(await look(here, { LOKI_OTEL_ENDPOINT: collector.url }), 'traces', 'fail', /certificate/, /enterprise\.telemetry\.ca \(OTEL_EXPORTER_OTLP_CERTIFICATE\)/);
  says(await look(here, { LOKI_OTEL_ENDPOINT: collector.url.replace('127.0.0.1', 'localhost'), OTEL_EXPORTER_OTLP_CERTIFICATE: fixture('siem', 'ca.pem') }), 'traces', 'ok', /it answered 200/);
  const plain = await startCollector(t);
  says(await look(here, { LOKI_OTEL_ENDPOINT: plain.url.replace('http:', 'https:') }), 'traces', 'fail', /does not speak TLS/, /try http:\/\//);
  const missing = await look(here, { LOKI_OTEL_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_CERTIFICATE: join(here.root, 'gone.pem') });
  says(missing, 'certificates', 'fail', /named and not there: .*gone\.pem/, /Put the files there/);
  says(missing, 'traces', 'fail', /gone\.pem" does not exist/, /Correct the setting/);
});

test('certificates of both sides: for another name, one of ours that is missing, one that does not go with its key', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t, { tls: 'server', wantsClient: true });
  const trusted = { LOKI_OTEL_ENDPOINT: collector.url.replace('127.0.0.1', 'localhost'), OTEL_EXPORTER_OTLP_CERTIFICATE: fixture('siem', 'ca.pem') };
  says(await look(here, trusted), 'traces', 'fail', /certificate/, /enterprise\.telemetry\.cert and key \(OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE/);
  const [cert, key] = [fixture('siem', 'client.pem'), fixture('siem', 'client.key')];
  says(await look(here, { ...trusted, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert, OTEL_EXPORTER_OTLP_CLIENT_KEY: fixture('siem', 'elsewhere.key') }), 'traces', 'fail', /it cannot be sent/, /must be PEM, without a passphrase, and belong together/);
  says(await look(here, { ...trusted, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert, OTEL_EXPORTER_OTLP_CLIENT_KEY: key }), 'traces', 'ok', /it answered 200/);
  const other = await startCollector(t, { tls: 'elsewhere' });
  says(await look(here, { ...trusted, LOKI_OTEL_ENDPOINT: other.url }), 'traces', 'fail', /for another name/, /^Name the receiver in the endpoint as its certificate does/);
  const old = await startCollector(t, { tls: 'expired' });
  says(await look(here, { ...trusted, LOKI_OTEL_ENDPOINT: old.url.replace('127.0.0.1', 'localhost') }), 'traces', 'fail', /has expired/, /valid now; if it does, set the clock/);
});

test('a key that others can read is told, and one that is none', async (t) => {
  const here = makeGround(t);
  const key = here.write('k.pem', '-----BEGIN EC PRIVATE KEY-----\n');
  const env = { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: here.write('c.pem', '-----BEGIN CERTIFICATE-----\n'), OTEL_EXPORTER_OTLP_CLIENT_KEY: key };
  says(await look(here, env), 'certificates', 'warn', /k\.pem can be read by others/, /^chmod 600 /);
  writeFileSync(key, '-----BEGIN CERTIFICATE-----\n');
  says(await look(here, env), 'certificates', 'fail', /k\.pem holds no private key in PEM$/, /Name the file that does/);
});

test('a receiver whose clock is an hour behind is told', async (t) => {
  says(await answered(t, { headers: { date: new Date(Date.now() - 3_600_000).toUTCString() } }), 'clocks', 'warn', /is (?:60|59) minutes behind this machine's/, /Set both clocks/);
  says(await answered(t, { headers: { date: 'soon' } }), 'clocks', 'ok', /no receiver says what time it is/);
});

test('several receivers: the one in trouble is told, the others are not held up', async (t) => {
  const here = makeGround(t);
  const good = await startCollector(t);
  here.write('home/config.yaml', `enterprise: {telemetry: {endpoint: "${good.url}", destinations: [{endpoint: "http://127.0.0.1:1", signals: [logs]}]}}\n`);
  const found = await look(here);
  says(found, 'traces', 'ok', /it answered 200/);
  says(found, 'logs', 'fail', /^http:\/\/127\.0\.0\.1:1: nothing listens there/, /Start the receiver/);
  assert.equal(good.count('logs'), 1);
});

test('a folder of OTLP files is looked at and not written to', async (t) => {
  const here = makeGround(t);
  const folder = join(here.root, 'telemetry');
  says(await look(here, { LOKI_OTEL_ENDPOINT: `file://${encodeURI(folder)}` }), 'folders', 'ok', /telemetry: made when it is first written to$/);
  assert.equal(existsSync(folder), false);
  writeFileSync(folder, '');
  says(await look(here, { LOKI_OTEL_ENDPOINT: `file://${encodeURI(folder)}` }), 'folders', 'fail', /something else than a folder/, /Name a folder/);
});

test('what waits, who sends and what was dropped, from what the courier keeps', async (t) => {
  const here = makeGround(t);
  const place = join(here.home, 'spool/telemetry/handed-over');
  mkdirSync(place, { recursive: true });
  const old = Date.now() - 3_600_000;
  writeFileSync(join(place, `${old}-0123456789abx10-3.traces.jsonl`), '{"resource');
  const stand = {
    name: 'http://127.0.0.1:1', kind: 'otlp', state: 'spooling', disk: null, waiting: { items: 7, files: 1, fileBytes: 2000, batches: 0, batchBytes: 0, oldest: old },
    signals: { traces: { state: 'spooling', delivered: 0, dropped: {}, lastSuccess: null, lastFailure: { at: old, words: 'nothing listens there' }, lastWarning: null, failures: 4, nextTry: null } },
  };
  const account = { at: old, courier: { kind: 'session', pid: 7, since: old, ended: old }, takenOver: { batches: 1, items: 1 }, delivered: {}, dropped: { traces: { spool_full: 9 } }, destinations: [stand] };
  writeFileSync(join(here.home, 'spool/telemetry/state.json'), JSON.stringify(account));
  const found = await look(here, { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1' });
  says(found, 'sender', 'warn', /^nobody sends what was handed over; the last was session \(process 7\), 60 minutes ago$/, /^loki telemetry send/);
  says(found, 'waiting', 'warn', /^1 batch handed over; 7 items for http:\/\/127\.0\.0\.1:1 \(2\.0 kB on disk\); the oldest for 60 minutes; http:\/\/127\.0\.0\.1:1 last said: nothing listens there$/, /doctor telemetry/);
  says(found, 'drops', 'warn', /^since this installation has telemetry: 9 of traces \(spool_full\)$/, /telemetry status/);
});

test('a configuration that cannot be used, an account that is none: still every check answers', async (t) => {
  const here = makeGround(t);
  here.write('home/config.yaml', 'enterprise: {server: {port: x}}\n');
  here.write('home/spool/telemetry/state.json', '{"at":"soon","dropped":[1]}');
  const found = await look(here, { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1' });
  says(found, 'settings', 'fail', /the configuration cannot be used: .*enterprise\.server\.port/, /./);
  says(found, 'drops', 'ok', /^none$/);
});

test('the command: exit code, and the same as JSON', async (t) => {
  const here = makeGround(t);
  const collector: FakeCollector = await startCollector(t);
  const good = await here.loki(['doctor', 'telemetry', '--json'], { env: { LOKI_OTEL_ENDPOINT: collector.url } });
  assert.equal(good.exit, 0, good.stdout);
  assert.ok(JSON.parse(good.stdout).checks.every(({ area }: { area: string }) => area === 'telemetry'));
  const bad = await here.loki(['doctor', 'telemetry'], { env: { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:1' } });
  assert.equal(bad.exit, 1);
  assert.match(bad.stdout, /FAIL +traces +http:\/\/127\.0\.0\.1:1: nothing listens there/);
});
