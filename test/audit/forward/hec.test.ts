/** Splunk's HTTP Event Collector, played by a server on loopback. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { Secret } from '../../../lib/base/secret.ts';
import { forwardPass } from '../../../lib/audit/forward/forwarder.ts';
import { createHecReceiver, hecEndpoint, type HecOptions } from '../../../lib/audit/forward/hec-receiver.ts';
import { sockets } from '../../../lib/host/sockets.ts';
import { makeScene, pem, serveHttp, soon } from './support.ts';

const token = 'e8b9c5f0-secret-token';
const root = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

interface Event { readonly time: number; readonly host: string; readonly source: string; readonly sourcetype: string; readonly index?: string; readonly event: Record<string, unknown>; readonly fields: Record<string, unknown> }

interface Collector {
  readonly url: string;
  /** Events of each request that was answered with 200. */
  readonly taken: Event[][];
  readonly requests: { readonly url: string; readonly authorization: string; readonly events: number }[];
}

/** Answers what `reply` says; undefined is a yes. */
async function collect(t: Parameters<typeof serveHttp>[0], reply: (events: readonly Event[], count: number) => { status: number; body?: object; headers?: Record<string, string> } | undefined = () => undefined): Promise<Collector> {
  const [taken, requests]: [Event[][], { url: string; authorization: string; events: number }[]] = [[], []];
  const url = await serveHttp(t, (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      const events = body.split('\n').map((text): Event => JSON.parse(text));
      requests.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', events: events.length });
      const answer = reply(events, requests.length);
      if (answer === undefined) taken.push(events);
      response.writeHead(answer?.status ?? 200, answer?.headers).end(JSON.stringify(answer?.body ?? { text: 'Success', code: 0 }));
    });
  });
  return { url, taken, requests };
}

function receiverAt(url: string, changes: Partial<HecOptions> = {}): ReturnType<typeof createHecReceiver> {
  return createHecReceiver({ id: 'splunk-test', url, token: new Secret(token), index: 'security', sourcetype: 'loki:audit', sockets, allowed: [], witness: () => ({ size: 9, root }), ...changes });
}

test('entries arrive as events, with time, host, source type, index and the fields a search needs', async (t) => {
  const scene = makeScene();
  const collector = await collect(t);
  await scene.add(2);
  assert.equal((await forwardPass(scene.options(receiverAt(collector.url)), soon)).done, true);
  assert.deepEqual(collector.requests, [{ url: '/services/collector/event', authorization: `Splunk ${token}`, events: 3 }]);
  const last = collector.taken[0]?.[2];
  const entry: Record<string, unknown> = JSON.parse(scene.lines()[2] ?? '');
  assert.deepEqual(last, {
    time: Date.UTC(2026, 1, 15, 14, 30) / 1000, host: 'h', source: 'loki', sourcetype: 'loki:audit', index: 'security', event: entry,
    fields: { seq: 3, chain_hash: entry['chain_hash'], tree_size: 9, tree_root: root },
  });
  assert.deepEqual((await forwardPass(scene.options(receiverAt(collector.url)), soon)).sent, 0);
});

test('large backlogs go in several requests', async (t) => {
  const scene = makeScene();
  const collector = await collect(t);
  await scene.add(700, { text: 'x'.repeat(1000) });
  await forwardPass(scene.options(receiverAt(collector.url)), soon);
  assert.ok(collector.requests.length >= 3);
  assert.deepEqual(collector.taken.flat().map(({ fields }) => fields['seq']), Array.from({ length: 701 }, (_, at) => at + 1));
});

test('what passes is tried again later, and no sooner than the collector says', async (t) => {
  const rows = [[503, undefined, 1_001], [429, '120', 120_000], [500, 'Thu, 01 Jan 1970 00:00:00 GMT', 1_001], [408, undefined, 1_001], [503, '999999', 900_000]] as const;
  for (const [status, retryAfter, waits] of rows) {
    const scene = makeScene();
    const collector = await collect(t, (_, count) => (count === 1 ? { status, body: { text: 'Server is busy', code: 9 }, ...(retryAfter === undefined ? {} : { headers: { 'Retry-After': retryAfter } }) } : undefined));
    await scene.add(1);
    const options = scene.options(receiverAt(collector.url));
    assert.match((await forwardPass(options, soon)).why ?? '', new RegExp(`it answers ${status} "Server is busy"`));
    scene.clock.advance(waits - (retryAfter === undefined || waits === 1_001 ? 1_001 : 1_000));
    assert.match((await forwardPass(options, soon)).why ?? '', /^waiting/, String(status));
    scene.clock.advance(1_001);
    assert.equal((await forwardPass(options, soon)).done, true, String(status));
  }
});

test('what will never work stops the receiver, is recorded, and names no secret', async (t) => {
  for (const [status, text] of [[403, 'Invalid token'], [401, 'Token is required'], [404, 'Not found'], [302, ''], [400, 'Incorrect index']] as const) {
    const scene = makeScene();
    const collector = await collect(t, () => ({ status, body: { text, code: 4 } }));
    await scene.add(1);
    const report = await forwardPass(scene.options(receiverAt(collector.url)), soon);
    assert.equal(report.why, `it answers ${status}${text === '' ? '' : ` "${text}"`}`);
    assert.deepEqual(scene.recorded.map(({ event, details }) => [event, details?.['stopped']]), [['syslog.error', true]]);
    scene.clock.advance(10 * 60_000);
    assert.match((await forwardPass(scene.options(receiverAt(collector.url)), soon)).why ?? '', /^waiting/);
    assert.equal(collector.requests.length, 1);
    const everything = inspect([report, scene.recorded, receiverAt(collector.url)], { depth: 9, showHidden: true }) + Buffer.from(scene.disk.read(scene.statePath, 9999) ?? []).toString();
    assert.ok(!everything.includes(token));
  }
});

test('one event that the collector refuses goes as a stub, then not at all; the others are taken', async (t) => {
  const scene = makeScene();
  const stubs: unknown[] = [];
  const collector = await collect(t, (events) => {
    const at = events.findIndex(({ fields }) => fields['seq'] === 3);
    if (at < 0) return undefined;
    stubs.push(events[at]?.event);
    return { status: 400, body: { text: 'Invalid data format', code: 6, 'invalid-event-number': at } };
  });
  await scene.add(4);
  assert.equal((await forwardPass(scene.options(receiverAt(collector.url)), soon)).done, true);
  assert.deepEqual(collector.taken.flat().map(({ fields }) => fields['seq']), [1, 2, 4, 5]);
  assert.deepEqual(Object.keys(Object(stubs[1])), ['stub', 'seq', 'event', 'chain_hash', 'sha256', 'bytes']);
  assert.deepEqual(scene.recorded.map(({ details }) => [details?.['found'], details?.['refused'], details?.['last_seq']]), [['it refuses entries for good: it answers 400 "Invalid data format"', 1, 3]]);
});

test('a collector that refuses every event is told of once, although each record of it is refused, too', async (t) => {
  const scene = makeScene();
  const collector = await collect(t, () => ({ status: 400, body: { text: 'Invalid data format', code: 6, 'invalid-event-number': 0 } }));
  await scene.add(2);
  for (let turn = 0; turn < 3; turn += 1) {
    assert.equal((await forwardPass(scene.options(receiverAt(collector.url)), soon)).done, true);
    await scene.add(1);
  }
  assert.equal(scene.recorded.length, 1);
  scene.clock.advance(11 * 60_000);
  await forwardPass(scene.options(receiverAt(collector.url)), soon);
  assert.deepEqual(scene.recorded.map(({ details }) => details?.['refused']), [3, 3]);
});

test('a request that is too large is parted, down to a stub of a single event', async (t) => {
  const scene = makeScene();
  const collector = await collect(t, (events) => (events.length > 2 || JSON.stringify(events).length > 2500 ? { status: 413 } : undefined));
  await scene.add(5);
  await scene.add(1, { text: 'x'.repeat(4000) });
  assert.equal((await forwardPass(scene.options(receiverAt(collector.url)), soon)).done, true);
  assert.deepEqual(collector.taken.flat().map(({ event }) => event['seq']), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(collector.taken.flat()[6]?.event['stub'], true);
});

test('over HTTPS the certificate is checked', async (t) => {
  const serve = async (name: string): Promise<string> => {
    const server = createServer({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) }, (request, response) => { request.resume().on('end', () => response.end('{}')); });
    t.after(() => { server.closeAllConnections(); server.close(); });
    await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `https://localhost:${address.port}`;
  };
  const scene = makeScene();
  await scene.add(1);
  const rows = [['elsewhere', /for another name/], ['stranger', /authority that is not trusted/], ['expired', /has expired/]] as const;
  for (const [name, found] of rows) {
    assert.match((await forwardPass(scene.options(receiverAt(await serve(name), { ca: pem('ca.pem') })), soon)).why ?? '', found);
    scene.clock.advance(3_600_000);
  }
  assert.equal((await forwardPass(scene.options(receiverAt(await serve('server'), { ca: pem('ca.pem') })), soon)).done, true);
});

test('a collector that answers nothing, nonsense or without an end does no harm', async (t) => {
  const nonsense = await serveHttp(t, (_, response) => { response.writeHead(500).end('<html>'); });
  const endless = await serveHttp(t, (_, response) => { response.end('x'.repeat(100_000)); });
  const rude = await serveHttp(t, (request) => { request.socket.destroy(); });
  for (const [url, found] of [[nonsense, /^it answers 500$/], [endless, /it answers more than 65536 bytes/], [rude, /broke the connection off|hang up/]] as const) {
    const scene = makeScene();
    await scene.add(1);
    assert.match((await forwardPass(scene.options(receiverAt(url)), soon)).why ?? '', found);
  }
});

test('the address of the collector may be given with or without its path', () => {
  const event = 'https://splunk.example.com:8088/services/collector/event';
  for (const given of ['https://splunk.example.com:8088', 'https://splunk.example.com:8088/', event, 'https://splunk.example.com:8088/services/collector', 'https://splunk.example.com:8088/services/collector/']) assert.equal(hecEndpoint(given), event, given);
  assert.equal(hecEndpoint('https://proxy.example.com/splunk/'), 'https://proxy.example.com/splunk/services/collector/event');
  assert.equal(hecEndpoint('https://h/services/collector/event/1.0'), 'https://h/services/collector/event/1.0');
});
