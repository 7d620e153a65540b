/** The destination, its transport and its folder as they are, against a receiver on loopback that behaves badly. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ExportRequest, ExportTransport } from '../../../lib/base/telemetry-ports.ts';
import { createExportTransport } from '../../../lib/host/export-transport.ts';
import { createHost } from '../../../lib/host/host.ts';
import { spoolDrivers } from '../../../lib/host/spool-files.ts';
import type { Timers } from '../../../lib/ports.ts';
import type { Batch } from '../../../lib/telemetry/batch.ts';
import { userAgentOf, type OtlpEndpoint, type StandingDestination } from '../../../lib/telemetry/export/options.ts';
import { createOtlpDestination } from '../../../lib/telemetry/export/otlp-destination.ts';
import { startCollector, type Behaviour, type FakeCollector } from '../../support/fake-collector.ts';
import { runChild } from '../../support/child.ts';
import { realTimers } from '../../support/fakes.ts';
import { fixture } from '../../support/root.ts';

let count = 0;

/** One whole span, so named, as a receiver takes it. */
function span(name: string): Batch {
  count += 1;
  const [traceId, spanId] = [count.toString(16).padStart(32, '0'), count.toString(16).padStart(16, '0')];
  const one = { traceId, spanId, name, kind: 1, startTimeUnixNano: '1771165800000000000', endTimeUnixNano: '1771165800001000000' };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'test' } }] };
  return { signal: 'traces', items: 1, body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans: [one] }] }] }) };
}

/** Pauses are a fiftieth as long; a flush waits as long as it says. */
const hasty: Timers = { ...realTimers, after: (milliseconds, run) => realTimers.after(milliseconds / 50, run) };

interface World {
  readonly home: string;
  readonly folder: string;
  readonly drops: string[];
  open(collector: { readonly url: string }, more?: Partial<OtlpEndpoint>): StandingDestination;
  /** Waits until everything was delivered or dropped. */
  done(destination: StandingDestination): Promise<void>;
  waiting(): readonly string[];
}

function world(t: TestContext): World {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-export-')));
  const folder = join(home, 'spool', 'telemetry', 'one');
  const { clock, disk, random } = createHost(() => home);
  const transport: ExportTransport = createExportTransport();
  const opened: StandingDestination[] = [];
  const drops: string[] = [];
  t.after(async () => {
    await Promise.all(opened.map((each) => each.close(0)));
    transport.close();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    home, folder, drops,
    open({ url }, more = {}) {
      const destination = createOtlpDestination({
        name: url, endpoints: { traces: { url: `${url}/v1/traces`, headers: { authorization: 'Bearer zsecret-token' }, gzip: true, timeoutMs: 400, ...more } }, temporality: 'cumulative',
        transport, clock, timers: hasty, random, userAgent: userAgentOf('1.2.3'), countDrops: (_, reason, items) => drops.push(...Array.from({ length: items }, () => reason)),
        spool: { files: spoolDrivers({ clock, disk, random }).spoolFiles, base: home, folder, maxBytes: 100_000_000 },
      });
      opened.push(destination);
      return destination;
    },
    async done(destination) {
      for (const end = performance.now() + 10_000; destination.stand().waiting.items > 0;) {
        assert.ok(performance.now() < end, `everything is delivered or dropped: ${JSON.stringify(destination.stand())}`);
        await destination.flush(200);
      }
    },
    waiting: () => { try { return readdirSync(folder); } catch { return []; } },
  };
}

const names = (from: number, to: number): readonly string[] => Array.from({ length: to - from }, (_, n) => `s${from + n}`);
const received = (collector: FakeCollector): readonly string[] => collector.spans().map(({ name }) => name);
const words = (destination: StandingDestination): string => destination.stand().signals.traces?.lastFailure?.words ?? '';

describe('one request goes wrong', () => {
  const rows: readonly (readonly [behaviour: Behaviour, becomes: 'delivered' | 'refused' | 'rejected' | 'too_large', said: RegExp])[] = [
    [{ status: 200, body: '' }, 'delivered', /^$/], [204, 'delivered', /^$/], ['html', 'delivered', /^$/], [{ status: 200, body: 'OK' }, 'delivered', /^$/],
    [{ rejected: 1, message: 'too old' }, 'rejected', /^$/], [{ rejected: 0, message: 'slow down' }, 'delivered', /^$/],
    [{ status: 301, headers: { location: 'http://127.0.0.1:1/' } }, 'refused', /301; redirects are not followed/], [{ status: 307, headers: { location: '/v1/traces' } }, 'refused', /307; redirects are not followed/],
    [400, 'refused', /400; it cannot read what it was sent; it says: answered with 400/], [401, 'refused', /401; it wants credentials/], [403, 'refused', /403; the credentials/], [404, 'refused', /404; .*a base endpoint gets \/v1\/traces/],
    [405, 'refused', /405/], [407, 'refused', /407; a proxy/], [408, 'refused', /408/], [413, 'too_large', /413/], [415, 'refused', /415; it takes no JSON/], [418, 'refused', /418/], [500, 'refused', /500/], [501, 'refused', /501/], [505, 'refused', /505/],
    [429, 'delivered', /429/], [{ status: 429, headers: { 'retry-after': '0' } }, 'delivered', /429/], [{ status: 503, headers: { 'retry-after': 'Sun, 15 Feb 2015 14:30:00 GMT' } }, 'delivered', /503/], [{ status: 429, headers: { 'retry-after': 'abc' } }, 'delivered', /429/],
    [502, 'delivered', /502/], [503, 'delivered', /503/], [504, 'delivered', /504/],
    ['hang', 'delivered', /no answer within 400 ms/], ['reset early', 'delivered', /ECONNRESET|EPIPE/], ['reset', 'delivered', /ECONNRESET/], ['half close', 'delivered', /ECONNRESET|closed/],
    ['no end of head', 'delivered', /no answer within/], ['noise', 'delivered', /Parse Error|Expected HTTP/], ['close after', 'delivered', /^$/],
    ['huge', 'refused', /more than 4194304 bytes/], ['bomb', 'refused', /more than 4194304 bytes/], ['trickle', 'delivered', /^$/],
  ];
  for (const [behaviour, becomes, said] of rows) {
    test(`${typeof behaviour === 'object' ? JSON.stringify(behaviour) : behaviour}: what it was for is ${becomes}, and all that comes after it is delivered in order`, async (t) => {
      const { open, done, drops, waiting } = world(t);
      const collector = await startCollector(t, { lenient: behaviour === 'reset early' });
      // The receiver itself takes a while to make so much.
      const destination = open(collector, behaviour === 'huge' || behaviour === 'bomb' ? { timeoutMs: 8000 } : {});
      collector.next(behaviour);
      destination.offer(span('first'));
      await collector.until('the first request', () => collector.connections() > 0);
      for (const name of names(0, 5)) destination.offer(span(name));
      await done(destination);
      assert.match(words(destination), said);
      assert.deepEqual(drops, becomes === 'delivered' ? [] : [becomes]);
      assert.deepEqual(received(collector).filter((name) => name !== 'first'), names(0, 5));
      // What was taken, and what may not be tried again, is sent once.
      if (becomes !== 'delivered') assert.equal(collector.received.filter(({ body }) => body.includes('"first"')).length, 1);
      else assert.ok(received(collector).includes('first') || behaviour === 'trickle');
      assert.deepEqual(waiting(), []);
      assert.doesNotMatch(JSON.stringify(destination.stand()), /zsecret/);
    });
  }
});

test('a receiver that is away and comes back gets everything, in order and once, over one connection', async (t) => {
  const { open, done, drops, waiting } = world(t);
  const first = await startCollector(t);
  const destination = open(first);
  for (const name of names(0, 3)) destination.offer(span(name));
  await done(destination);
  await first.close();
  for (const name of names(3, 300)) {
    destination.offer(span(name));
    if (name.endsWith('0')) await new Promise((resolve) => { setImmediate(resolve); });
  }
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  assert.equal(destination.stand().state, 'spooling');
  assert.ok(waiting().length > 200);
  assert.match(words(destination), /ECONNREFUSED|ECONNRESET|closed/);
  const second = await startCollector(t, { port: first.port });
  await done(destination);
  assert.deepEqual([...received(first), ...received(second)], names(0, 300));
  assert.deepEqual([waiting(), drops, second.connections(), destination.stand().state], [[], [], 1, 'direct']);
  assert.ok(second.received.length < 20, `${second.received.length} requests for 297 batches`);
});

test('a program that ends in the middle of a request leaves it on disk, and the next one delivers it', async (t) => {
  const { open, done, folder, waiting } = world(t);
  const collector = await startCollector(t);
  const before = open(collector, { timeoutMs: 0 });
  collector.next('hang');
  for (const name of names(0, 4)) before.offer(span(name));
  await collector.waitFor(1);
  const started = performance.now();
  await before.close(200);
  assert.ok(performance.now() - started < 2000);
  assert.equal(waiting().length, 4);
  for (const name of waiting()) {
    const text = readFileSync(join(folder, name), 'utf8');
    assert.match(name, /^\d{13}-[0-9a-f]{16}-1\.traces\.jsonl$/);
    assert.equal(text.indexOf('\n'), text.length - 1);
    assert.ok(Array.isArray(JSON.parse(text).resourceSpans));
    assert.doesNotMatch(name + text, /zsecret/);
  }
  await done(open(collector));
  assert.deepEqual(received(collector), names(0, 4));
});

describe('over TLS', () => {
  const pem = (name: string): string => readFileSync(fixture('siem', name), 'utf8');
  const rows: readonly (readonly [what: string, options: Parameters<typeof startCollector>[1], tls: NonNullable<ExportRequest['tls']>, said: RegExp])[] = [
    ['an unknown authority', { tls: 'server' }, {}, /authority that is not trusted|signed by itself/], ['an expired certificate', { tls: 'expired' }, { ca: pem('ca.pem') }, /has expired/],
    ['a certificate for another name', { tls: 'elsewhere' }, { ca: pem('ca.pem') }, /for another name/], ['no certificate of ours where one is wanted', { tls: 'server', wantsClient: true }, { ca: pem('ca.pem') }, /certificate|ECONNRESET|EPIPE/],
  ];
  for (const [what, options, tls, said] of rows) {
    test(`${what}: everything waits, and is delivered once that is mended`, async (t) => {
      const { open, done, drops, waiting } = world(t);
      const wrong = await startCollector(t, options);
      const before = open(wrong, { tls });
      for (const name of names(0, 3)) before.offer(span(name));
      assert.equal(await before.flush(300), false);
      assert.match(words(before), said);
      await before.close(0);
      assert.deepEqual([waiting().length, received(wrong)], [3, []]);
      const right = await startCollector(t, { tls: 'server', wantsClient: true });
      await done(open(right, { tls: { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') } }));
      assert.deepEqual([received(right), drops], [names(0, 3), []]);
    });
  }
});

test('a process whose receiver never answers ends when its work is done', async (t) => {
  const collector = await startCollector(t);
  collector.always('hang');
  const started = performance.now();
  const { exit, stderr } = await runChild('test/support/export-and-end', [`${collector.url}/v1/traces`]);
  assert.deepEqual([exit, stderr], [0, '']);
  assert.ok(performance.now() - started < 20_000, 'the time-out of the request is a minute');
  assert.equal(collector.received.length, 1);
});
