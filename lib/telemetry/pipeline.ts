/**
 * From what was recorded to batches at their destinations: spans and log records when there are enough or the first has waited long enough,
 * metrics every interval. Its timers keep no process alive, and with nothing to send there is none but that of the metrics. Never throws.
 */
import type { MetricData, Resource, Signal } from '../base/telemetry-data.ts';
import type { Encoded } from '../formats/otlp/envelope.ts';
import { encodeLogs } from '../formats/otlp/logs.ts';
import { encodeMetrics } from '../formats/otlp/metrics.ts';
import { encodeSpans } from '../formats/otlp/spans.ts';
import type { Cancel, Clock, Random, Timers } from '../ports.ts';
import type { Batch, CountDrops, Destination } from './batch.ts';
import { createMetricReader, type MetricReader } from './metric-reader.ts';
import type { MetricSource, Queue, Recorder } from './recorder.ts';
import type { Temporality as CountedAs } from './settings.ts';

export interface PipelineOptions {
  readonly recorder: Recorder;
  readonly resource: Resource;
  readonly destinations: readonly Destination[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly countDrops: CountDrops;
  /** OTEL_METRIC_EXPORT_INTERVAL; 60 000 when left out. */
  readonly metricIntervalMs?: number;
  /** OTEL_METRIC_EXPORT_TIMEOUT, for the looks at what is measured, 0: no limit; 30 000 when left out. */
  readonly metricTimeoutMs?: number;
}

export interface Pipeline {
  /** Sends these metrics as well, from now on. */
  measure(source: MetricSource): void;
  /** Sends what there is. True when all destinations have delivered it (or dropped it) in time. */
  flush(deadlineMs: number): Promise<boolean>;
  /** As `flush`, and then nothing more is recorded, and the destinations are closed. */
  shutdown(deadlineMs: number): Promise<void>;
}

export function startPipeline(options: PipelineOptions): Pipeline {
  const { recorder, clock } = options;
  const offer = offering(options);
  const lanes = {
    traces: createLane(options, recorder.spans, (spans) => offer('traces', () => encodeSpans(options.resource, spans), spans.length)),
    logs: createLane(options, recorder.logs, (records) => offer('logs', () => encodeLogs(options.resource, records), records.length)),
  };
  const metrics = createMetricLane(options, (countedAs, data) => offer('metrics', () => encodeMetrics(options.resource, data), countPoints(data), countedAs));
  recorder.hear({
    begun: (signal) => (signal === 'metrics' ? metrics.begun() : lanes[signal].begun()),
    full: (signal) => lanes[signal].full(),
    dropped: (signal, reason) => options.countDrops(signal, reason, 1),
  });
  for (const lane of [lanes.traces, lanes.logs]) lane.begun();
  if (recorder.metrics.length > 0) metrics.begun();

  async function drain(deadlineMs: number): Promise<void> {
    for (const lane of [lanes.traces, lanes.logs]) await lane.drain();
    await metrics.collect(deadlineMs);
  }

  return {
    measure: (source) => metrics.add(source),
    async flush(deadlineMs) {
      const end = clock.monotonic() + deadlineMs;
      await drain(deadlineMs);
      const left = Math.max(0, end - clock.monotonic());
      const delivered = await Promise.all(options.destinations.map((destination) => settled(() => destination.flush(left), false)));
      return delivered.every((one) => one);
    },
    async shutdown(deadlineMs) {
      const end = clock.monotonic() + deadlineMs;
      metrics.stop();
      await drain(deadlineMs);
      recorder.close();
      const left = Math.max(0, end - clock.monotonic());
      await Promise.all(options.destinations.map((destination) => settled(() => destination.close(left), undefined)));
    },
  };
}

type Offer = (signal: Signal, encode: () => Encoded, items: number, countedAs?: CountedAs) => void;

/** Gives each message to all that want it; of metrics, to those that count this way. */
function offering({ destinations, countDrops }: PipelineOptions): Offer {
  return (signal, encode, items, countedAs) => {
    const wanting = destinations.filter((one) => one.signals.includes(signal) && (countedAs === undefined || one.temporality === countedAs));
    if (wanting.length === 0 || items === 0) return;
    const { messages, tooLarge } = encoded(encode, items);
    if (tooLarge > 0) countDrops(signal, 'too_large', tooLarge);
    for (const message of messages) for (const destination of wanting) offerTo(destination, { signal, ...message });
  };
}

function encoded(encode: () => Encoded, items: number): Encoded {
  try {
    return encode();
  } catch {
    // No text can be so long.
    return { messages: [], tooLarge: items };
  }
}

/** What is wrong with one destination is no matter of the others. */
function offerTo(destination: Destination, batch: Batch): void {
  try {
    destination.offer(batch);
  } catch {
    return;
  }
}

async function settled<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
  try {
    return await work();
  } catch {
    return otherwise;
  }
}

interface Lane {
  begun(): void;
  full(): void;
  drain(): Promise<void>;
}

/** One batch a turn, so that making many holds nobody up. */
function createLane<Item extends { readonly size: number }>({ timers, random }: PipelineOptions, queue: Queue<Item>, send: (items: readonly Item[]) => void): Lane {
  const { maxBatch, delayMs } = queue.settings;
  let waiting: Cancel | undefined;
  let isDue = false;
  const turn = (): void => {
    [waiting, isDue] = [undefined, false];
    send(queue.take());
    if (queue.length > 0) wait(queue.length >= maxBatch);
  };
  const wait = (due: boolean): void => {
    if (isDue || (waiting !== undefined && !due)) return;
    waiting?.();
    isDue = due;
    waiting = timers.after(due ? 0 : jittered(delayMs, random), turn);
  };
  return {
    begun: () => { if (queue.length > 0) wait(queue.length >= maxBatch); },
    full: () => wait(true),
    async drain() {
      while (queue.length > 0) {
        send(queue.take());
        if (queue.length > 0) await timers.yield();
      }
    },
  };
}

/** Between half of it and all, so that processes that began together do not send together. */
function jittered(milliseconds: number, random: Random): number {
  const [byte = 0] = random.bytes(1);
  return milliseconds * (0.5 + byte / 512);
}

interface MetricLane {
  begun(): void;
  add(source: MetricSource): void;
  /** Reads and sends once; looks that take longer are not waited for. */
  collect(deadlineMs: number): Promise<void>;
  stop(): void;
}

function createMetricLane(options: PipelineOptions, send: (countedAs: CountedAs, data: readonly MetricData[]) => void): MetricLane {
  const { recorder, destinations, clock, timers, random, metricIntervalMs = 60_000, metricTimeoutMs = 30_000 } = options;
  const added: MetricSource[] = [];
  const countedAss = new Set(destinations.filter(({ signals }) => signals.includes('metrics')).map(({ temporality }) => temporality));
  const readers: readonly (readonly [CountedAs, MetricReader])[] = [...countedAss].map((countedAs) => [countedAs, createMetricReader(countedAs)]);
  let waiting: Cancel | undefined;
  let isStopped = false;
  let collecting: Promise<void> | undefined;

  async function collect(deadlineMs: number): Promise<void> {
    const sources = [...recorder.metrics, ...added];
    if (readers.length === 0 || sources.length === 0) return;
    await withinTime(Promise.all(sources.map(lookAt)), deadlineMs, timers);
    const now = clock.now();
    for (const [countedAs, reader] of readers) send(countedAs, sources.flatMap(({ scope, stores }) => reader.read(scope, stores(), now)));
  }

  const lane: MetricLane = {
    begun() {
      if (waiting !== undefined || isStopped || readers.length === 0) return;
      const next = (): void => {
        if (isStopped) return;
        waiting = timers.after(metricIntervalMs, next);
        void lane.collect(metricTimeoutMs === 0 ? Infinity : metricTimeoutMs);
      };
      waiting = timers.after(jittered(metricIntervalMs, random), next);
    },
    add(source) {
      added.push(source);
      lane.begun();
    },
    collect(deadlineMs) {
      collecting ??= collect(deadlineMs).finally(() => { collecting = undefined; });
      // One that began before may have been given more time.
      return withinTime(collecting, deadlineMs, timers);
    },
    stop() {
      isStopped = true;
      waiting?.();
    },
  };
  return lane;
}

async function lookAt(source: MetricSource): Promise<void> {
  try {
    await source.look?.();
  } catch {
    return;
  }
}

async function withinTime(work: Promise<unknown>, milliseconds: number, timers: Timers): Promise<void> {
  if (milliseconds === Infinity) await work;
  else await new Promise<void>((resolve) => {
    const cancel = timers.after(milliseconds, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}

function countPoints(data: readonly MetricData[]): number {
  return data.reduce((sum, { points }) => sum + points.length, 0);
}
