/**
 * Makes tracers, loggers and meters, and holds what they made until somebody takes it to be sent. Holds so many spans and records, and so much
 * memory, and not more: what comes beyond that is counted and gone. Knows nothing of how they leave.
 */
import type { LogData, Scope, Signal, SpanData } from '../base/telemetry-data.ts';
import { noLogger, noTracer, type EventLogger, type Tracer } from '../base/trace.ts';
import type { Clock, Random } from '../ports.ts';
import { limitsOf } from './attributes.ts';
import { createMeter, type Meter } from './meter.ts';
import { createSampler } from './sampler.ts';
import type { MetricStores } from './series.ts';
import type { BatchSettings, LimitSettings, SamplerSettings, TelemetrySettings } from './settings.ts';
import { Times } from './times.ts';
import { createLogger, createTracer } from './tracer.ts';

/** How the items of a queue are put together: as many as are held, and as many as make a batch, which is sent off at once. */
export type QueueSettings = BatchSettings;

/** Those of the specification (configuration/sdk-environment-variables.md). */
const usualSpans: QueueSettings = { maxQueue: 2048, maxBatch: 512, delayMs: 5000 };
const usualLogs: QueueSettings = { ...usualSpans, delayMs: 1000 };
const usualSampler: SamplerSettings = { kind: 'always_on', parentBased: true, ratio: 1 };

export interface RecorderOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What somebody wants; the rest is not made. All, when left out. */
  readonly signals?: readonly Signal[];
  /** Where these are left out, what the specification has. */
  readonly sampler?: SamplerSettings;
  readonly limits?: LimitSettings;
  readonly spans?: QueueSettings;
  readonly logs?: QueueSettings;
  /** How histograms of its meters are counted; in buckets with bounds, when left out. */
  readonly histograms?: TelemetrySettings['metrics']['histograms'];
  /** How spans are told to others and taken from them; by trace context, when left out. */
  readonly propagators?: TelemetrySettings['propagators'];
  /** Whether exceptions are told with their stack; not when left out. */
  readonly stacks?: boolean;
}

/** Metrics, and which part of the program counts them. */
export interface MetricSource {
  readonly scope: Scope;
  /** Looks up what is told best at the moment it is read. What it throws is not heard. */
  look?(): void | Promise<void>;
  stores: MetricStores['stores'];
}

/** Who takes what was made. */
export interface Listener {
  /** There is something to send, where there was nothing. */
  begun(signal: Signal): void;
  /** There are enough for a batch; said again with each one more. */
  full(signal: 'traces' | 'logs'): void;
  dropped(signal: 'traces' | 'logs', reason: 'queue_full' | 'shutdown'): void;
}

export interface Recorder {
  tracer(scope: Scope): Tracer;
  logger(scope: Scope): EventLogger;
  meter(scope: Scope): Meter;
  readonly spans: Queue<SpanData>;
  readonly logs: Queue<LogData>;
  /** Its meters, as far as they have metrics. */
  readonly metrics: readonly MetricSource[];
  /** One at a time: whoever listens hears, from now on. */
  hear(listener: Listener): void;
  /** Holds nothing more. */
  close(): void;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { clock, random, signals, stacks = false } = options;
  const [sampler, limits] = [createSampler(options.sampler ?? usualSampler), limitsOf(options.limits)];
  const times = new Times(clock);
  const metrics: MetricSource[] = [];
  let listener: Listener | undefined;
  const hears = (signal: 'traces' | 'logs'): QueueHears => ({
    begun: () => listener?.begun(signal),
    full: () => listener?.full(signal),
    dropped: (reason) => listener?.dropped(signal, reason),
  });
  const spans = new Queue<SpanData>(options.spans ?? usualSpans, hears('traces'));
  const logs = new Queue<LogData>(options.logs ?? usualLogs, hears('logs'));
  const isWanted = (signal: Signal): boolean => signals === undefined || signals.includes(signal);
  return {
    spans, logs, metrics,
    tracer: (scope) => (isWanted('traces') ? createTracer({ scope, times, random, sampler, limits, stacks, isPrivate: options.propagators?.traceContext === false }, (span) => spans.push(span)) : noTracer),
    logger: (scope) => (isWanted('logs') ? createLogger({ scope, times, limits }, (record) => logs.push(record)) : noLogger),
    meter(scope) {
      const { meter, stores } = createMeter(times, () => {
        if (!isWanted('metrics')) return;
        metrics.push({ scope, ...stores });
        listener?.begun('metrics');
      }, options.histograms === 'base2_exponential_bucket_histogram');
      return meter;
    },
    hear(next) { listener = next; },
    close() {
      spans.close();
      logs.close();
    },
  };
}

interface QueueHears {
  begun(): void;
  full(): void;
  dropped(reason: 'queue_full' | 'shutdown'): void;
}

/** Characters that all items of a queue may hold together. */
const mostCharacters = 16 << 20;

export class Queue<Item extends { readonly size: number }> {
  readonly settings: QueueSettings;
  readonly #hears: QueueHears;
  #items: Item[] = [];
  #characters = 0;
  #closed = false;

  constructor(settings: QueueSettings, hears: QueueHears) {
    this.settings = settings;
    this.#hears = hears;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    if (this.#closed) return this.#hears.dropped('shutdown');
    if (this.#items.length >= this.settings.maxQueue || this.#characters > mostCharacters) return this.#hears.dropped('queue_full');
    this.#items.push(item);
    this.#characters += item.size;
    if (this.#items.length === 1) this.#hears.begun();
    if (this.#items.length >= this.settings.maxBatch) this.#hears.full();
  }

  /** The oldest of a batch; they are held no longer. */
  take(): readonly Item[] {
    const taken = this.#items.splice(0, this.settings.maxBatch);
    for (const { size } of taken) this.#characters -= size;
    return taken;
  }

  close(): void {
    this.#closed = true;
  }
}
