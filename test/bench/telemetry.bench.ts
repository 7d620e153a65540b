/**
 * What telemetry costs where it is made: a span held against the object it must be at least, a count against the call it is at least, the text of a
 * message against JSON.stringify of objects that stand ready; and what importing and starting it costs a process. test/interop compares with OpenTelemetry.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SpanData } from '../../lib/base/telemetry-data.ts';
import type { Attributes, Span, Tracer } from '../../lib/base/trace.ts';
import { encodeSpans } from '../../lib/formats/otlp/spans.ts';
import { clock, random } from '../../lib/host/time.ts';
import { createRecorder, type Recorder } from '../../lib/telemetry/recorder.ts';
import type { Bench, Done } from './harness.ts';

const batch = 512;
const resource = { attributes: { 'service.name': 'bench', 'service.version': '1.0.0' } } as const;

/** A recorder whose queue is emptied as a pipeline would. */
function recording(): { readonly recorder: Recorder; readonly tracer: Tracer; take(): readonly SpanData[] } {
  const recorder = createRecorder({ clock, random });
  return { recorder, tracer: recorder.tracer({ name: 'bench' }), take: () => (recorder.spans.length >= batch ? recorder.spans.take() : []) };
}

/** Spans as they are made on the way of a request, with this many attributes of ten. */
export function makeSpan(tracer: Tracer, n: number, attributes: 3 | 10): Span {
  const span = tracer.startSpan('GET /api/v2/runs/:id', { kind: 'server' }).setAttribute('http.request.method', 'GET').setAttribute('http.route', '/api/v2/runs/:id').setAttribute('http.response.status_code', 200);
  return attributes === 3 ? span : span.setAttributes({ ...rest, 'loki.audit.seq': n, 'loki.policy.share': n / 7 });
}

const rest: Attributes = { 'server.address': '127.0.0.1', 'loki.run.id': 'run_01J00000000000000000000000', 'loki.policy.decision': 'ALLOW', 'loki.policy.rule': 'allow-reads', 'loki.gate.passed': true };

/** `count` spans with ten attributes, made and written as messages. Answers with the characters of the text. */
export function makeAndEncode(count: number): number {
  const { tracer, take, recorder } = recording();
  let characters = 0;
  const encode = (spans: readonly SpanData[]): void => { for (const { body } of encodeSpans(resource, spans).messages) characters += body.length; };
  for (let n = 0; n < count; n += 1) {
    makeSpan(tracer, n, 10).end();
    if (n % batch === batch - 1) encode(take());
  }
  encode(recorder.spans.take());
  return characters;
}

/** Processor time a unit: what others do on the machine meanwhile is not ours. */
function busy(units: number, work: () => void): Done {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return { microseconds: (user + system) / units };
}

const spanCount = 100_000;

const span: Bench = {
  name: 'telemetry-span', unit: 'spans', rounds: 9, promise: { kind: 'at least', share: 0.4 },
  async prepare() {
    const { tracer, take } = recording();
    let pool = Buffer.from(random.bytes(8192)).toString('hex');
    let [at, list]: [number, object[]] = [0, []];
    const id = (length: number): string => {
      if (at + length > pool.length) [pool, at] = [Buffer.from(random.bytes(8192)).toString('hex'), 0];
      return pool.slice(at, at += length);
    };
    return {
      subject: {
        name: 'span started, 3 attributes set, ended',
        run: () => busy(spanCount, () => { for (let n = 0; n < spanCount; n += 1) { makeSpan(tracer, n, 3).end(); take(); } }),
      },
      floor: {
        name: 'object with two ids, two times and 3 attributes, pushed',
        run: () => busy(spanCount, () => {
          for (let n = 0; n < spanCount; n += 1) {
            const one = { name: 'GET /api/v2/runs/:id', kind: 'server', traceId: id(32), spanId: id(16), start: clock.monotonic(), attributes: { 'http.request.method': 'GET', 'http.route': '/api/v2/runs/:id', 'http.response.status_code': 200 }, end: 0 };
            one.end = clock.monotonic();
            list.push(one);
            if (list.length >= batch) list = [];
          }
        }),
      },
      clean: () => undefined,
    };
  },
};

const addCount = 2_000_000;

/** 0.2 microseconds a count are 5,000,000 a second. */
const adds = (name: string, what: string, made: () => () => void): Bench => ({
  name, unit: 'counts', rounds: 9, promise: { kind: 'at most plus', milliseconds: 0.0002 },
  async prepare() {
    const add = made();
    let sum = 0;
    return {
      subject: { name: what, run: () => busy(addCount, () => { for (let n = 0; n < addCount; n += 1) add(); }) },
      floor: { name: 'a call that adds to a variable', run: () => busy(addCount, () => { const plain = (): void => { sum += 1; }; for (let n = 0; n < addCount; n += 1) plain(); }) },
      clean: () => { if (sum === 0) throw new Error('nothing was counted'); },
    };
  },
});

const counts: readonly Bench[] = [
  adds('telemetry-count', 'counter added to', () => {
    const counter = recording().recorder.meter({ name: 'bench' }).createCounter('c');
    return () => counter.add(1);
  }),
  adds('telemetry-count-attributes', 'counter added to with 2 attributes, of 100 sets', () => {
    const counter = recording().recorder.meter({ name: 'bench' }).createCounter('c');
    const routes = Array.from({ length: 100 }, (_, n) => `/route/${n}`);
    let n = 0;
    return () => counter.add(1, { method: 'GET', route: routes[(n += 1) % 100] });
  }),
];

const encoding: Bench = {
  name: 'telemetry-encode', unit: 'spans', rounds: 9, promise: { kind: 'at most', times: 2 },
  async prepare() {
    const { tracer, take } = recording();
    for (let n = 0; n < batch; n += 1) makeSpan(tracer, n, 10).end();
    const spans = take();
    // All of them: a batch is told in several messages.
    const ready: readonly unknown[] = encodeSpans(resource, spans).messages.map(({ body }) => JSON.parse(body) as unknown);
    const rounds = 20;
    return {
      subject: { name: 'span with 10 attributes written as OTLP/JSON', run: () => busy(batch * rounds, () => { for (let n = 0; n < rounds; n += 1) encodeSpans(resource, spans); }) },
      floor: { name: 'JSON.stringify of the same messages as objects that stand ready', run: () => busy(batch * rounds, () => { for (let n = 0; n < rounds; n += 1) for (const each of ready) JSON.stringify(each); }) },
      clean: () => undefined,
    };
  },
};

/** Bytes of heap beyond what Node itself takes for a first import and for chance, which whoever draws ids must load. Told as microseconds: the harness knows no other unit. */
const entry = fileURLToPath(new URL('../../lib/entry/telemetry.js', import.meta.url));
const script = `
  await import('data:text/javascript,export const a = 1'); process.getBuiltinModule('node:crypto').randomBytes(8);
  globalThis.gc(); const before = process.memoryUsage().heapUsed;
  const { createTelemetry } = await import(${JSON.stringify(entry)});
  const telemetry = createTelemetry({ endpoint: 'http://127.0.0.1:9', env: {} });
  telemetry.tracer.startSpan('a').end(); telemetry.meter.createCounter('c').add(1);
  globalThis.gc(); console.log(process.memoryUsage().heapUsed - before);`;

const start: Bench = {
  name: 'telemetry-start', unit: 'bytes of heap', rounds: 3, promise: { kind: 'at most', times: 1 },
  async prepare() {
    return {
      subject: { name: 'imported, started, a span and a count made', run: () => ({ microseconds: Number(spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', script], { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) }).stdout) }) },
      floor: { name: '1 MB', run: () => ({ microseconds: 1e6 }) },
      clean: () => undefined,
    };
  },
};

export const telemetryBenches: readonly Bench[] = [span, ...counts, encoding, start];
