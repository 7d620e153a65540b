/** Spans and log records as they are made: ids, parents, limits, status, times; and that nothing one is given makes them throw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogData, SpanData } from '../../lib/base/telemetry-data.ts';
import { isValidContext, noSpan, type EventLogger, type SpanContext, type SpanOptions, type Tracer } from '../../lib/base/trace.ts';
import { encodeLogs } from '../../lib/formats/otlp/logs.ts';
import { encodeSpans } from '../../lib/formats/otlp/spans.ts';
import { random } from '../../lib/host/time.ts';
import { limitsOf } from '../../lib/telemetry/attributes.ts';
import { createSampler } from '../../lib/telemetry/sampler.ts';
import type { SamplerSettings } from '../../lib/telemetry/settings.ts';
import { Times } from '../../lib/telemetry/times.ts';
import { createLogger, createTracer, type Making } from '../../lib/telemetry/tracer.ts';
import { createTestClock, createTestRandom, type TestClock } from '../support/fakes.ts';
import { checkBatch } from '../support/otlp-schema.ts';

interface Kit {
  readonly tracer: Tracer;
  readonly logger: EventLogger;
  readonly spans: SpanData[];
  readonly logs: LogData[];
  readonly clock: TestClock;
  /** The only span so far. */
  only(): SpanData;
}

function kit(over: Partial<Making> & { readonly sampling?: SamplerSettings } = {}): Kit {
  const [spans, logs, clock]: [SpanData[], LogData[], TestClock] = [[], [], createTestClock()];
  const making: Making = {
    scope: { name: 'tests' }, times: new Times(clock), random: createTestRandom(), sampler: createSampler(over.sampling ?? { kind: 'always_on', parentBased: true, ratio: 1 }), limits: limitsOf(), stacks: false, ...over,
  };
  return {
    tracer: createTracer(making, (span) => { spans.push(span); }), logger: createLogger(making, (record) => { logs.push(record); }), spans, logs, clock,
    only() {
      assert.equal(spans.length, 1);
      for (const message of encodeSpans({ attributes: { 'service.name': 's' } }, spans).messages) assert.deepEqual(checkBatch({ signal: 'traces', ...message }), []);
      return spans[0] ?? assert.fail();
    },
  };
}

const attributesOf = ({ attributes: { entries } }: Pick<SpanData, 'attributes'>): object => Object.fromEntries(Array.from({ length: entries.length / 2 }, (_, at) => [entries[2 * at], entries[2 * at + 1]]));
const remote: SpanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true, isRemote: true, traceState: 'a=1' };

test('a span without a parent begins a trace; its children belong to it', () => {
  const { tracer, spans } = kit();
  const root = tracer.startSpan('root');
  const child = tracer.startSpan('child', { parent: root.context });
  child.end();
  root.end();
  assert.deepEqual(spans.map(({ name, parent }) => [name, parent?.spanId]), [['child', root.context.spanId], ['root', undefined]]);
  assert.equal(child.context.traceId, root.context.traceId);
  assert.notEqual(child.context.spanId, root.context.spanId);
  assert.match(`${root.context.traceId} ${root.context.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
});

test('what came from another process is gone on with, its trace state handed on', () => {
  const { tracer, only } = kit();
  const span = tracer.startSpan('a', { parent: remote });
  assert.deepEqual({ ...span.context, spanId: '' }, { traceId: remote.traceId, spanId: '', sampled: true, traceState: 'a=1' });
  span.end();
  assert.deepEqual({ ...only().parent }, remote);
});

test('a parent that names no span is none, whatever it is', () => {
  for (const parent of [{ ...remote, traceId: '0'.repeat(32) }, { ...remote, spanId: 'xyz' }, { ...remote, traceId: remote.traceId.toUpperCase() }, noSpan.context, {}, 7, null, 'x'] as SpanContext[]) {
    const { tracer, only } = kit();
    tracer.startSpan('a', { parent }).end();
    assert.equal(only().parent, undefined);
  }
});

test('ids that are given count where they are ids', () => {
  const { tracer } = kit();
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  assert.deepEqual({ ...tracer.startSpan('a', { ids }).context }, { ...ids, sampled: true });
  assert.equal(tracer.startSpan('a', { ids, parent: remote }).context.traceId, remote.traceId);
  for (const wrong of ['0'.repeat(32), 'A'.repeat(32), 'a'.repeat(31), '', 7] as string[]) {
    const { context } = tracer.startSpan('a', { ids: { traceId: wrong, spanId: wrong } });
    assert.ok(isValidContext(context) && context.traceId !== wrong && /^[0-9a-f]{16}$/.test(context.spanId));
  }
});

test('no id is all zero, and none comes twice', () => {
  const zeros = kit({ random: { bytes: (length) => new Uint8Array(length) } }).tracer.startSpan('a').context;
  assert.ok(isValidContext(zeros));
  const { tracer } = kit({ random });
  const ids = new Set(Array.from({ length: 2000 }, () => tracer.startSpan('a').context).flatMap(({ traceId, spanId }) => [traceId, spanId]));
  assert.equal(ids.size, 4000);
});

test('attributes: the last counts, what is none is left out, and objects are kept as they were', () => {
  const { tracer, only } = kit();
  const list = [1];
  const span = tracer.startSpan('a', { attributes: { a: 1, b: undefined, list } }).setAttribute('a', 2).setAttribute('', 1).setAttribute(7 as never, 1).setAttribute('f', (() => 1) as never).setAttributes({ c: 'x', d: true, e: 7n });
  list.push(2);
  span.end();
  span.setAttribute('late', 1);
  assert.deepEqual(attributesOf(only()), { a: 2, list: { json: '{"arrayValue":{"values":[{"intValue":"1"}]}}' }, c: 'x', d: true, e: 7n });
});

test('10,000 attributes: 128 are kept, and the others counted', () => {
  const { tracer, only } = kit();
  const span = tracer.startSpan('a');
  for (let n = 0; n < 10_000; n += 1) span.setAttribute(`k${n}`, n);
  span.setAttribute('k5', 'again').end();
  assert.deepEqual([only().attributes.entries.length, only().attributes.dropped], [256, 10_000 - 128]);
  assert.equal(attributesOf(only())['k5' as never], 'again');
});

test('limits of events, links and characters', () => {
  const limits = limitsOf({ span: { count: 2, valueLength: 3 }, logRecord: { count: 1, valueLength: 2 }, eventCount: 1, linkCount: 1, attributesPerEvent: 1, attributesPerLink: 0 });
  const { tracer, logger, only, logs } = kit({ limits });
  tracer.startSpan('a', { links: [{ context: remote, attributes: { a: 1 } }, { context: remote }] }).addEvent('one', { a: 'abcdef', b: 1 }).addEvent('two').setAttribute('long', 'abcdef').setAttribute('list', ['abcdef']).setAttribute('third', 1).end();
  const span = only();
  assert.deepEqual([span.events.map(({ attributes }) => ({ ...attributes })), span.droppedEvents], [[{ entries: ['a', 'abc'], dropped: 1, size: 35 }], 1]);
  assert.deepEqual([span.links.map(({ attributes: { entries, dropped } }) => [entries, dropped]), span.droppedLinks], [[[[], 1]], 1]);
  assert.deepEqual(attributesOf(span), { long: 'abc', list: { json: '{"arrayValue":{"values":[{"stringValue":"abc"}]}}' } });
  assert.equal(span.attributes.dropped, 1);
  logger.emit({ severity: 'info', attributes: { a: 'abc', b: 1 } });
  assert.deepEqual([logs[0]?.attributes.entries, logs[0]?.attributes.dropped], [['a', 'ab'], 1]);
});

test('status: ok is final, only errors have words', () => {
  const outcome = (work: (span: ReturnType<Tracer['startSpan']>) => unknown): unknown => {
    const { tracer, only } = kit();
    const span = tracer.startSpan('a');
    work(span);
    span.end();
    return [only().outcome, only().message];
  };
  assert.deepEqual(outcome(() => undefined), ['unset', undefined]);
  assert.deepEqual(outcome((span) => span.setStatus('error', 'bad').setStatus('ok', 'no')), ['ok', undefined]);
  assert.deepEqual(outcome((span) => span.setStatus('ok').setStatus('error', 'bad')), ['ok', undefined]);
  assert.deepEqual(outcome((span) => span.setStatus('error', 'a').setStatus('error', 'b')), ['error', 'b']);
  assert.deepEqual(outcome((span) => span.setStatus('unset' as never).setStatus(7 as never)), ['unset', undefined]);
});

test('exceptions: type and words, the stack only where it is asked for, and whatever is thrown', () => {
  const told = (thrown: unknown, stacks = false): object => {
    const { tracer, only } = kit({ stacks });
    tracer.startSpan('a').recordException(thrown).end();
    const [event] = only().events;
    assert.deepEqual([event?.name, only().outcome], ['exception', 'error']);
    return attributesOf(event ?? assert.fail());
  };
  assert.deepEqual(told(new TypeError('bad')), { 'exception.type': 'TypeError', 'exception.message': 'bad' });
  assert.deepEqual(told(Object.assign(new Error('bad'), { code: 'policy.invalid' })), { 'exception.type': 'policy.invalid', 'exception.message': 'bad' });
  assert.match(String(told(new Error('bad'), true)['exception.stacktrace' as never]), /^Error: bad\n/);
  assert.deepEqual(told('words'), { 'exception.type': 'string', 'exception.message': 'words' });
  assert.deepEqual(told(undefined), { 'exception.type': 'undefined' });
  assert.deepEqual(told(new Proxy({}, { get() { throw new Error('no'); } })), {});
});

test('a span is handed on once, and is changed no more', () => {
  const { tracer, spans } = kit();
  const span = tracer.startSpan('a');
  span.updateName('b').end();
  span.updateName('c').setAttribute('x', 1).setAttributes({ y: 1 }).addEvent('e').addLink(remote).setStatus('error').recordException(new Error()).end();
  assert.equal(spans.length, 1);
  assert.deepEqual([spans[0]?.name, spans[0]?.attributes.entries, spans[0]?.events, spans[0]?.links, spans[0]?.outcome, span.isRecording], ['b', [], [], [], 'unset', false]);
});

test('times: given ones count where they are some, and no span ends before it began', () => {
  const { tracer, clock, spans } = kit();
  const now = clock.now();
  tracer.startSpan('given', { startTime: now - 500 }).addEvent('e', {}, now - 100).end(now - 50);
  tracer.startSpan('backwards', { startTime: now + 1000 }).end(now);
  tracer.startSpan('nonsense', { startTime: NaN }).addEvent('e', {}, -1).end(Infinity);
  assert.deepEqual(spans.map(({ startTime, endTime, events }) => [startTime - now, endTime - now, ...events.map(({ time }) => time - now)]), [[-500, -50, -100], [1000, 1000], [0, 0, 0]]);
});

test('a process that is stopped between two readings of its clocks does not take that for a wall clock that was set', () => {
  // The wall clock is read late: by what the process was stopped for.
  let [elapsed, stoppedMs] = [0, 0];
  const clock = { monotonic: () => elapsed, now: () => { elapsed += stoppedMs; return 1e12 + elapsed; } };
  const times = new Times(clock);
  assert.equal(times.now(), 1e12);
  [elapsed, stoppedMs] = [5000, 40];
  assert.equal(times.now(), 1e12 + 5000);
  assert.equal(times.base, 1e12);
});

test('the wall clock may be set while a span lasts: its length is right, and the next begins at the new time', () => {
  const { tracer, clock, spans } = kit();
  const span = tracer.startSpan('long');
  const began = clock.now();
  clock.advance(2000);
  clock.set(began - 3_600_000);
  span.end();
  tracer.startSpan('next').end();
  assert.deepEqual(spans.map(({ startTime, endTime }) => [startTime, endTime - startTime]), [[began, 2000], [began - 3_600_000, 0]]);
});

test('names: something, and not too long', () => {
  const { tracer, spans } = kit();
  for (const name of ['', 7, undefined, 'x'.repeat(5000)] as string[]) tracer.startSpan(name).end();
  assert.deepEqual(spans.map(({ name }) => name.length > 20 ? name.length : name), ['unknown', 'unknown', 'unknown', 1024]);
});

test('options and events that throw when they are looked at do no harm', () => {
  const { tracer, logger, spans, logs } = kit();
  const hostile = new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } });
  tracer.startSpan('a', hostile as SpanOptions).setAttribute('a', 1).end();
  tracer.startSpan('b', { attributes: hostile, links: hostile as never, kind: hostile as never }).setAttributes(hostile).addEvent('e', hostile).addLink(hostile as SpanContext, hostile).end();
  logger.emit(hostile as never);
  logger.emit(undefined as never);
  logger.emit({ severity: 'nonsense' as never, attributes: hostile, body: 7 as never });
  assert.deepEqual(spans.map(({ name, kind }) => [name, kind]), [['b', 'internal']]);
  assert.deepEqual(logs.map(({ severityNumber, body }) => [severityNumber, body]), [[0, undefined]]);
});

test('log records', () => {
  const { logger, logs, clock } = kit();
  logger.emit({ name: 'loki.policy.deny', severity: 'warn', body: 'denied', attributes: { a: 1 }, context: remote, time: clock.now() - 5 });
  logger.emit({ name: 'x'.repeat(300), severity: 'fatal', context: noSpan.context, time: NaN });
  assert.deepEqual(logs.map(({ name, severityNumber, severityText, context, time }) => [name?.length, severityNumber, severityText, context?.spanId, time - clock.now()]), [[16, 13, 'WARN', remote.spanId, -5], [256, 21, 'FATAL', undefined, 0]]);
  for (const message of encodeLogs({ attributes: { 'service.name': 's' } }, logs).messages) assert.deepEqual(checkBatch({ signal: 'logs', ...message }), []);
});

test('samplers: what is not kept still hands its trace on, with ids of its own and the flag off', () => {
  const { tracer, spans } = kit({ sampling: { kind: 'always_off', parentBased: true, ratio: 1 } });
  const span = tracer.startSpan('a');
  span.setAttribute('a', 1).end();
  assert.deepEqual([span.isRecording, span.context.sampled, isValidContext(span.context), spans], [false, false, true, []]);
  const child = tracer.startSpan('b', { parent: span.context });
  assert.deepEqual([child.context.traceId, child.isRecording], [span.context.traceId, false]);
  tracer.startSpan('c', { parent: remote }).end();
  assert.equal(spans.length, 1);
});

test('samplers: each by its parent, and without one', () => {
  const table: readonly (readonly [SamplerSettings['kind'], parentBased: boolean, root: boolean, kept: boolean, unkept: boolean])[] = [
    ['always_on', false, true, true, true], ['always_off', false, false, false, false],
    ['always_on', true, true, true, false], ['always_off', true, false, true, false],
  ];
  for (const [kind, parentBased, root, kept, unkept] of table) {
    const sampler = createSampler({ kind, parentBased, ratio: 1 });
    assert.deepEqual([undefined, remote, { ...remote, sampled: false }].map((parent) => sampler(remote.traceId, parent)), [root, kept, unkept], `${kind} ${String(parentBased)}`);
  }
});

test('traceidratio keeps what has R >= T of the last 56 bits, and the more the higher the ratio is', () => {
  const sampler = (ratio: number): (id: string) => boolean => (id) => createSampler({ kind: 'traceidratio', parentBased: false, ratio })(id, undefined);
  const id = (last56: string): string => `${'0'.repeat(17)}1${last56}`;
  assert.deepEqual(['7fffffffffffff', '80000000000000', 'ffffffffffffff'].map((last) => sampler(0.5)(id(last))), [false, true, true]);
  assert.deepEqual(['bfffffffffffff', 'c0000000000000'].map((last) => sampler(0.25)(id(last))), [false, true]);
  assert.deepEqual([sampler(0)(id('ffffffffffffff')), sampler(1)(id('00000000000000')), sampler(NaN)(id('00000000000000')), sampler(7)(id('00000000000000'))], [false, true, true, true]);
  const { tracer } = kit({ random });
  const ids = Array.from({ length: 100 }, () => tracer.startSpan('a').context.traceId);
  for (const one of ids) for (let n = 1; n < 10; n += 1) assert.ok(!sampler(n / 10)(one) || sampler((n + 1) / 10)(one));
});
