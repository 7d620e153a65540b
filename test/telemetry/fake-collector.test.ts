/** The receiver that tests use: what it keeps, what it finds wrong, and that it is as bad as it is told to be. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Signal } from '../../lib/telemetry/batch.ts';
import { startCollector, type Behaviour, type FakeCollector } from '../support/fake-collector.ts';
import { fixture } from '../support/root.ts';

const agent = 'OTel-OTLP-Exporter-Test/1.0';
const payload = (signal: Signal): string => JSON.stringify(JSON.parse(readFileSync(fixture('otlp', `${signal}.json`), 'utf8')));

interface Reply { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string }

/** Sends; rejects with the system's error, or after the time. */
function send(url: string, body: string | Buffer, options: https.RequestOptions = {}, timeoutMs = 300): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'user-agent': agent, ...options.headers };
    const request = (url.startsWith('https') ? https : http).request(url, { method: 'POST', agent: false, ...options, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => { chunks.push(chunk); }).on('error', reject);
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('latin1') }); });
    });
    request.on('error', reject);
    setTimeout(() => { request.destroy(new Error('out of time')); }, timeoutMs).unref();
    request.end(body);
  });
}

test('what was sent is there to be looked at', async (t) => {
  const collector = await startCollector(t);
  await send(`${collector.url}/base/v1/traces?key=1`, gzipSync(payload('traces')), { headers: { 'content-encoding': 'gzip', authorization: 'Bearer x' } });
  await send(`${collector.url}/v1/metrics`, payload('metrics'));
  await send(`${collector.url}/v1/logs`, payload('logs'));
  await collector.waitFor(3);
  assert.deepEqual(collector.received.map(({ signal, path }) => [signal, path]), [['traces', '/base/v1/traces?key=1'], ['metrics', '/v1/metrics'], ['logs', '/v1/logs']]);
  assert.equal(collector.received[0]?.headers.authorization, 'Bearer x');
  assert.ok((collector.received[0]?.size ?? 0) < (collector.received[0]?.body.length ?? 0));
  const [span] = collector.spans();
  assert.deepEqual([span?.name, span?.kind, span?.parentSpanId, span?.status, span?.resource['service.name'], span?.scope], ['POST /orders', 2, '00F067AA0BA902B7', { code: 2, message: 'the oven is cold' }, 'bakery', 'bakery.orders']);
  assert.deepEqual(span?.attributes, { 'order.kind': 'rye', 'order.loaves': 12, 'order.weight': 9.75, 'order.sliced': false, 'order.seeds': ['sesame', -3], 'order.label': 'AAEC/w==', 'order.to': { street: 'Mill Lane', note: null } });
  assert.equal(collector.spans()[1]?.parentSpanId, undefined);
  assert.deepEqual(collector.metrics().map(({ name, kind, temporality, points }) => [name, kind, temporality, points[0]?.value ?? points[0]?.count]), [
    ['bakery.loaves', 'sum', 2, 41], ['bakery.oven', 'gauge', undefined, Number.NaN], ['bakery.wait', 'histogram', 1, 3], ['bakery.crumbs', 'exponentialHistogram', 1, 6], ['bakery.queue', 'summary', undefined, 9],
  ]);
  assert.deepEqual(collector.logs().map(({ eventName, severityNumber, body, spanId }) => [eventName, severityNumber, body, spanId]), [[undefined, 9, 'The shop is open', 'b7ad6b7169203332'], ['bakery.sold_out', 17, { left: 0 }, undefined]]);
  assert.deepEqual([collector.count('traces'), collector.count('metrics'), collector.count('logs')], [2, 8, 2]);
});

test('a payload that is wrong fails the test that sent it, unless that looks for itself', async () => {
  const after: (() => Promise<void>)[] = [];
  const t = { after: (run: () => Promise<void>) => { after.push(run); } } as unknown as TestContext;
  const collector = await startCollector(t);
  await send(`${collector.url}/v1/traces`, '{"resourceSpans":[]}', { headers: { 'user-agent': 'curl/8' } });
  await assert.rejects(Promise.all(after.map((run) => run())), /\/v1\/traces: resourceSpans is empty/);
  const lenient = await startCollector(t, { lenient: true });
  await send(`${lenient.url}/v1/logs`, 'x', { method: 'PUT', headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } });
  await after.at(-1)?.();
  assert.deepEqual(lenient.received[0]?.mistakes.slice(0, 2), ['the method is PUT', 'the content-type is text/plain']);
  assert.match(lenient.received[0]?.mistakes[2] ?? '', /^the payload is no JSON: /);
});

describe('it answers as it is told', () => {
  const rows: readonly (readonly [behaviour: Behaviour, status: number, body: string | RegExp, taken: boolean])[] = [
    [200, 200, '{}', true],
    [204, 204, '', true],
    [503, 503, '{"code":3,"message":"answered with 503"}', false],
    [{ status: 429, headers: { 'retry-after': '2' } }, 429, /429/, false],
    [{ rejected: 1, message: 'too old' }, 200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}', true],
    [{ status: 200, body: '', afterMs: 20 }, 200, '', true],
    ['html', 200, /^<!doctype html>/, true],
    ['close after', 200, '{}', true],
  ];
  for (const [behaviour, status, body, taken] of rows) {
    test(JSON.stringify(behaviour), async (t) => {
      const collector = await startCollector(t);
      collector.next(behaviour);
      const reply = await send(`${collector.url}/v1/traces`, payload('traces'), {}, 2000);
      assert.equal(reply.status, status);
      if (typeof body === 'string') assert.equal(reply.body, body); else assert.match(reply.body, body);
      assert.equal(collector.count('traces'), taken ? 2 : 0);
      assert.equal((await send(`${collector.url}/v1/traces`, payload('traces'))).status, 200, 'the one after it is treated as always');
    });
  }
});

describe('it fails as it is told', () => {
  const rows: readonly (readonly [behaviour: Behaviour, said: RegExp])[] = [
    ['hang', /out of time/], ['trickle', /out of time/], ['no end of head', /out of time/], ['half close', /socket hang up/], ['noise', /Parse Error|Expected HTTP/],
    ['reset', /ECONNRESET/], ['reset early', /ECONNRESET|EPIPE/], ['reset midway', /ECONNRESET|aborted/],
  ];
  for (const [behaviour, said] of rows) {
    test(String(behaviour), async (t) => {
      const collector = await startCollector(t);
      collector.always(behaviour);
      await assert.rejects(send(`${collector.url}/v1/traces`, payload('traces')), said);
      assert.equal(collector.count('traces'), 0, 'nothing was taken');
    });
  }

  test('huge is 100 MB', async (t) => {
    const collector = await startCollector(t);
    collector.always('huge');
    const { body } = await send(`${collector.url}/v1/traces`, payload('traces'), {}, 20_000);
    assert.ok(body.length >= 100 * 1024 * 1024);
  });

  test('bomb is 100 MB in very little', async (t) => {
    const collector = await startCollector(t);
    collector.always('bomb');
    const { body, headers } = await send(`${collector.url}/v1/traces`, payload('traces'), {}, 20_000);
    assert.equal(headers['content-encoding'], 'gzip');
    assert.ok(body.length < 1024 * 1024);
  });
});

test('connections are counted, and told apart', async (t) => {
  const collector = await startCollector(t);
  const kept = new http.Agent({ keepAlive: true });
  t.after(() => { kept.destroy(); });
  for (let n = 0; n < 3; n += 1) await send(`${collector.url}/v1/logs`, payload('logs'), { agent: kept });
  await send(`${collector.url}/v1/logs`, payload('logs'), { agent: false });
  assert.deepEqual([collector.connections(), collector.received.map(({ connection }) => connection)], [2, [1, 1, 1, 2]]);
});

describe('over TLS', () => {
  const ca = readFileSync(fixture('siem', 'ca.pem'));
  test('it wants to be believed', async (t) => {
    const collector = await startCollector(t, { tls: 'server' });
    assert.equal((await send(`${collector.url}/v1/logs`, payload('logs'), { ca })).status, 200);
    await assert.rejects(send(`${collector.url}/v1/logs`, payload('logs')), /self-signed certificate in certificate chain/);
  });

  test('it can want to know who sends', async (t) => {
    const collector = await startCollector(t, { tls: 'server', wantsClient: true });
    const client = { ca, cert: readFileSync(fixture('siem', 'client.pem')), key: readFileSync(fixture('siem', 'client.key')) };
    assert.equal((await send(`${collector.url}/v1/logs`, payload('logs'), client)).status, 200);
    assert.ok((collector.received[0]?.client ?? '') !== '');
    assert.equal(collector.received[0]?.connection, 1);
    await assert.rejects(send(`${collector.url}/v1/logs`, payload('logs'), { ca }));
  });
});

test('it can come back at the port it had', async (t) => {
  const first = await startCollector(t);
  await first.close();
  await assert.rejects(send(`${first.url}/v1/logs`, payload('logs')), /ECONNREFUSED/);
  const second: FakeCollector = await startCollector(t, { port: first.port });
  assert.equal((await send(`${second.url}/v1/logs`, payload('logs'))).status, 200);
});
