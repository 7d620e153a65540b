/** From what was recorded to batches: when, how many, to whom; what is too much is counted; nothing is held up and no process is kept alive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cancel, Timers } from '../../lib/ports.ts';
import type { Batch, Destination, Signal } from '../../lib/telemetry/batch.ts';
import { startPipeline, type Pipeline, type PipelineOptions } from '../../lib/telemetry/pipeline.ts';
import { createRecorder, type Recorder, type RecorderOptions } from '../../lib/telemetry/recorder.ts';
import { createTestClock, createTestRandom } from '../support/fakes.ts';
import { checkBatch } from '../support/otlp-schema.ts';

/** Time that tests make pass. */
interface Kit {
  readonly recorder: Recorder;
  readonly pipeline: Pipeline;
  readonly batches: Batch[];
  readonly drops: unknown[];
  /** How many timers wait. */
  waiting(): number;
  advance(milliseconds: number): Promise<void>;
  /** A span that ends at once. */
  span(name?: string): void;
}

interface Wanted {
  readonly recorder?: Partial<RecorderOptions>;
  readonly pipeline?: Partial<PipelineOptions>;
  readonly destination?: Partial<Destination>;
}

function kit({ recorder: recording, pipeline: piping, destination = {} }: Wanted = {}): Kit {
  const clock = createTestClock();
  const queued = new Set<{ readonly at: number; readonly run: () => void }>();
  const timers: Timers = {
    after(milliseconds, run): Cancel {
      const one = { at: clock.monotonic() + milliseconds, run };
      queued.add(one);
      return () => { queued.delete(one); };
    },
    every: () => assert.fail('a pipeline that is not told of an end must not go on for ever'),
    sleep: () => assert.fail('a sleep keeps the process alive'),
    yield: () => Promise.resolve(),
  };
  const [batches, drops]: [Batch[], unknown[]] = [[], []];
  const random = createTestRandom();
  const recorder = createRecorder({ clock, random, spans: { maxQueue: 20, maxBatch: 5, delayMs: 5000 }, logs: { maxQueue: 20, maxBatch: 5, delayMs: 1000 }, ...recording });
  const taking: Destination = {
    name: 'test', signals: ['traces', 'metrics', 'logs'], temporality: 'cumulative',
    offer(batch) {
      assert.deepEqual(checkBatch(batch), []);
      batches.push(batch);
    },
    flush: () => Promise.resolve(true), close: () => Promise.resolve(), ...destination,
  };
  const pipeline = startPipeline({ recorder, resource: { attributes: { 'service.name': 's' } }, destinations: [taking], clock, timers, random, countDrops: (...drop) => { drops.push(drop); }, ...piping });
  const tracer = recorder.tracer({ name: 'tests' });
  return {
    recorder, pipeline, batches, drops, waiting: () => queued.size, span: (name = 'a') => tracer.startSpan(name).end(),
    async advance(milliseconds) {
      const end = clock.monotonic() + milliseconds;
      for (;;) {
        const [next] = [...queued].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        queued.delete(next);
        clock.advance(Math.max(0, next.at - clock.monotonic()));
        next.run();
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      }
      clock.advance(Math.max(0, end - clock.monotonic()));
    },
  };
}

const itemsOf = (batches: readonly Batch[], signal: Signal): readonly number[] => batches.filter((batch) => batch.signal === signal).map(({ items }) => items);

test('nothing to send: no timer, no batch', async () => {
  const { pipeline, batches, waiting, advance } = kit();
  assert.equal(waiting(), 0);
  await advance(600_000);
  assert.equal(await pipeline.flush(1000), true);
  assert.deepEqual([batches, waiting()], [[], 0]);
});

test('the first waits for others, for the delay at most and half of it at least; then no timer is left', async () => {
  const { span, batches, waiting, advance } = kit();
  span();
  span();
  await advance(2400);
  assert.deepEqual(batches, []);
  await advance(2600);
  assert.deepEqual([itemsOf(batches, 'traces'), waiting()], [[2], 0]);
});

test('a full batch does not wait, and is not made within the call', async () => {
  const { span, batches, waiting, advance } = kit();
  for (let n = 0; n < 12; n += 1) span();
  assert.deepEqual([batches, waiting()], [[], 1]);
  await advance(0);
  assert.deepEqual(itemsOf(batches, 'traces'), [5, 5]);
  await advance(5000);
  assert.deepEqual([itemsOf(batches, 'traces'), waiting()], [[5, 5, 2], 0]);
});

test('more than may be held is counted and gone; what is held is sent', async () => {
  const { span, batches, drops, advance } = kit();
  for (let n = 0; n < 50; n += 1) span();
  await advance(5000);
  assert.equal(itemsOf(batches, 'traces').reduce((sum, items) => sum + items, 0), 20);
  assert.deepEqual(drops, Array(30).fill(['traces', 'queue_full', 1]));
  span();
  await advance(5000);
  assert.equal(itemsOf(batches, 'traces').at(-1), 1);
});

test('memory is bounded as well as number: long texts fill the queue', async () => {
  const { recorder, pipeline, batches, drops } = kit({ recorder: { logs: { maxQueue: 1_000_000, maxBatch: 512, delayMs: 1000 } } });
  const logger = recorder.logger({ name: 'tests' });
  const body = 'x'.repeat(60_000);
  for (let n = 0; n < 1000; n += 1) logger.emit({ severity: 'info', body });
  assert.equal(await pipeline.flush(1000), true);
  const kept = itemsOf(batches, 'logs').reduce((sum, items) => sum + items, 0);
  assert.ok(kept > 250 && kept < 300, `${kept}`);
  assert.equal(drops.length, 1000 - kept);
  for (const { body: text } of batches) assert.ok(text.length < 4.3e6, `${text.length}`);
});

test('an item beyond what one message may hold is counted as too large', async () => {
  const { recorder, pipeline, drops, batches } = kit();
  const span = recorder.tracer({ name: 'tests' }).startSpan('a');
  for (let n = 0; n < 8; n += 1) span.setAttribute(`k${n}`, '\u0001'.repeat(1 << 20));
  span.end();
  await pipeline.flush(1000);
  assert.deepEqual([drops, batches], [[['traces', 'too_large', 1]], []]);
});

test('each signal has its own wait; log records go after a second', async () => {
  const { recorder, span, batches, advance } = kit();
  span();
  recorder.logger({ name: 'tests' }).emit({ severity: 'info' });
  await advance(1000);
  assert.deepEqual(batches.map(({ signal }) => signal), ['logs']);
  await advance(4000);
  assert.deepEqual(batches.map(({ signal }) => signal), ['logs', 'traces']);
});

test('metrics are read every interval from a jittered start, and only once there are some', async () => {
  const { recorder, batches, waiting, advance } = kit({ pipeline: { metricIntervalMs: 10_000 } });
  await advance(30_000);
  assert.equal(waiting(), 0);
  recorder.meter({ name: 'tests' }).createCounter('m').add(1);
  await advance(4900);
  assert.deepEqual(batches, []);
  await advance(5100);
  assert.deepEqual(itemsOf(batches, 'metrics'), [1]);
  await advance(10_000);
  assert.deepEqual(itemsOf(batches, 'metrics'), [1, 1]);
});

test('metrics of others are looked at before they are read, with an end to waiting, and a look that fails is no obstacle', async () => {
  const looked: string[] = [];
  const { pipeline, recorder, batches, advance } = kit({ pipeline: { metricIntervalMs: 10_000, metricTimeoutMs: 500 } });
  recorder.meter({ name: 'tests' }).createCounter('m').add(1);
  pipeline.measure({ scope: { name: 'a' }, look: () => { looked.push('a'); throw new Error('no'); }, stores: () => [] });
  pipeline.measure({ scope: { name: 'b' }, look: () => { looked.push('b'); return new Promise(() => undefined); }, stores: () => [] });
  await advance(10_600);
  assert.deepEqual([looked, itemsOf(batches, 'metrics')], [['a', 'b'], [1]]);
});

test('a look without a limit is waited for, and does not hold up the end', async () => {
  const { pipeline, recorder, batches, advance } = kit({ pipeline: { metricIntervalMs: 10_000, metricTimeoutMs: 0 } });
  recorder.meter({ name: 'tests' }).createCounter('m').add(1);
  let found: () => void = () => undefined;
  pipeline.measure({ scope: { name: 'a' }, look: () => new Promise((resolve) => { found = resolve; }), stores: () => [] });
  await advance(60_000);
  assert.deepEqual(itemsOf(batches, 'metrics'), []);
  found();
  await advance(15_000);
  assert.deepEqual(itemsOf(batches, 'metrics'), [1]);
  let isEnded = false;
  void pipeline.shutdown(2000).then(() => { isEnded = true; });
  await new Promise(setImmediate);
  await advance(2000);
  await new Promise(setImmediate);
  assert.equal(isEnded, true);
});

test('metrics are counted for each destination in its way, and every destination gets what it wants', async () => {
  const got: unknown[] = [];
  const destination = (name: string, signals: readonly Signal[], temporality: Destination['temporality']): Destination => ({
    name, signals, temporality, offer: ({ signal, body }) => { got.push([name, signal, /"aggregationTemporality":(\d)/.exec(body)?.[1]]); }, flush: () => Promise.resolve(true), close: () => Promise.resolve(),
  });
  const { recorder, pipeline, span } = kit({ pipeline: { destinations: [destination('a', ['traces', 'metrics'], 'cumulative'), destination('b', ['metrics'], 'delta'), destination('c', ['traces'], 'delta'), destination('d', ['metrics'], 'delta')] } });
  span();
  recorder.meter({ name: 'tests' }).createCounter('m').add(1);
  await pipeline.flush(1000);
  assert.deepEqual(got, [['a', 'traces', undefined], ['c', 'traces', undefined], ['a', 'metrics', '2'], ['b', 'metrics', '1'], ['d', 'metrics', '1']]);
});

test('what nobody wants is not made', () => {
  const { recorder } = kit({ recorder: { signals: ['metrics'] } });
  recorder.tracer({ name: 'a' }).startSpan('a').end();
  recorder.logger({ name: 'a' }).emit({ severity: 'info' });
  assert.deepEqual([recorder.spans.length, recorder.logs.length], [0, 0]);
});

test('flush says false when a destination does, or fails', async () => {
  for (const flush of [() => Promise.resolve(false), () => Promise.reject(new Error('no'))]) {
    const { pipeline, span } = kit({ destination: { flush } });
    span();
    assert.equal(await pipeline.flush(1000), false);
  }
});

test('a destination that throws takes nothing from the others', async () => {
  const got: Batch[] = [];
  const good: Destination = { name: 'good', signals: ['traces'], temporality: 'delta', offer: (batch) => { got.push(batch); }, flush: () => Promise.resolve(true), close: () => Promise.resolve() };
  const bad: Destination = { ...good, name: 'bad', offer() { throw new Error('no'); } };
  const { pipeline, span, drops } = kit({ pipeline: { destinations: [bad, good] } });
  span();
  assert.equal(await pipeline.flush(1000), true);
  assert.deepEqual([itemsOf(got, 'traces'), drops], [[1], []]);
});

test('shutdown sends what there is, closes, and counts what comes afterwards', async () => {
  const closed: number[] = [];
  const { pipeline, recorder, span, batches, drops, waiting } = kit({ destination: { close: (deadline) => { closed.push(deadline); return Promise.resolve(); } } });
  span();
  recorder.meter({ name: 'tests' }).createCounter('m').add(1);
  await pipeline.shutdown(700);
  assert.deepEqual([batches.map(({ signal }) => signal), closed], [['traces', 'metrics'], [700]]);
  span();
  assert.deepEqual(drops, [['traces', 'shutdown', 1]]);
  await pipeline.shutdown(700);
  assert.ok(waiting() <= 1, 'a wait that has nothing left to do');
});
