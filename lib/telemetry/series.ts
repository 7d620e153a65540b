/**
 * Where measurements are kept until somebody reads them: for each metric its series, one for each set of attributes. What is kept is bounded: past
 * 2000 series of a metric the rest is counted as one, so that no caller can fill memory with attributes (OpenTelemetry metrics SDK, "Cardinality limits").
 */
import type { Exemplar, KeptAttributes } from '../base/telemetry-data.ts';
import type { SpanContext } from '../base/trace.ts';
import { ExponentialStore } from './exponential.ts';

/** Series of one metric, the one for the rest included. */
export const mostSeries: number = 2000;

/** Upper bounds of buckets where none are given, as the specification has them. */
export const usualBounds: readonly number[] = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/** What is counted. `isObserved`: its value is looked up whenever somebody reads, and what was not found then is gone. */
export interface MetricIdentity {
  readonly name: string;
  readonly kind: 'counter' | 'updown' | 'gauge' | 'histogram';
  /** As UCUM writes it; empty where there is none. */
  readonly unit: string;
  readonly description: string;
  readonly bounds: readonly number[];
  /** A histogram whose buckets are powers of a base, in place of `bounds`. */
  readonly isExponential?: boolean;
  readonly isObserved: boolean;
}

/** The smallest and the largest since a reader looked. */
export interface Extremes {
  min: number;
  max: number;
}

export class Series {
  readonly attributes: KeptAttributes;
  /** It stands for all series beyond the bound. */
  readonly overflow: boolean;
  /** Milliseconds since 1970 from which on it counts. */
  startTime: number;
  /** Sum of a counter or histogram; the newest value of a gauge. */
  value = 0;
  count = 0;
  readonly counts: number[];
  /** In place of `counts`. */
  readonly exponential: ExponentialStore | undefined;
  readonly extremes: Extremes[] = [];
  /** A value below zero was among them. */
  hasNegative = false;
  /** By bucket; one for a sum. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined;
  /** Which look found it, where it is observed. */
  look = 0;

  constructor(attributes: KeptAttributes, overflow: boolean, startTime: number, buckets: number | 'exponential') {
    this.attributes = attributes;
    this.overflow = overflow;
    this.startTime = startTime;
    this.counts = typeof buckets === 'number' && buckets > 0 ? new Array<number>(buckets).fill(0) : noCounts;
    this.exponential = buckets === 'exponential' ? new ExponentialStore() : undefined;
    if (buckets !== 0) this.extremes.push(noExtremes());
  }

  add(amount: number): void {
    this.value += amount;
    this.count += 1;
  }

  set(value: number): void {
    this.value = value;
    this.count += 1;
  }

  /** The bucket it fell into. */
  record(value: number, bounds: readonly number[]): number {
    const at = this.exponential === undefined ? this.#count(bucketOf(bounds, value)) : this.exponential.record(value);
    this.value += value;
    this.count += 1;
    if (value < 0) this.hasNegative = true;
    for (const extreme of this.extremes) {
      if (value < extreme.min) extreme.min = value;
      if (value > extreme.max) extreme.max = value;
    }
    return at;
  }

  #count(at: number): number {
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    return at;
  }

  /** Remembers the newest measurement that was made in a span that is kept (`trace_based`). */
  exemplify(at: number, value: number, time: number, context: SpanContext): void {
    this.exemplars ??= [];
    this.exemplars[at] = { value, time, context };
  }
}

const noCounts: number[] = [];

export function noExtremes(): Extremes {
  return { min: Infinity, max: -Infinity };
}

/** The first bucket whose bound is not below the value; one behind the last where none is. */
function bucketOf(bounds: readonly number[], value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Key of the series that stands for the rest; all others begin with a digit, or are empty. */
const overflowKey = 'overflow';
const overflowAttributes: KeptAttributes = { entries: ['otel.metric.overflow', true], dropped: 0 };

/** One metric. */
export class MetricStore {
  readonly identity: MetricIdentity;
  readonly series: Map<string, Series> = new Map();
  readonly #startTime: number;
  readonly #buckets: number | 'exponential';

  constructor(identity: MetricIdentity, startTime: number) {
    this.identity = identity;
    this.#startTime = startTime;
    this.#buckets = identity.kind !== 'histogram' ? 0 : identity.isExponential === true ? 'exponential' : identity.bounds.length + 1;
  }

  /** The series of this key, made when there is none; past the bound the one that stands for the rest. */
  at(key: string, attributes: () => KeptAttributes): Series {
    const known = this.series.get(key);
    if (known !== undefined) return known;
    if (this.series.size < mostSeries - 1) return this.#make(key, attributes(), false);
    return this.series.get(overflowKey) ?? this.#make(overflowKey, overflowAttributes, true);
  }

  #make(key: string, attributes: KeptAttributes, overflow: boolean): Series {
    const made = new Series(attributes, overflow, this.#startTime, this.#buckets);
    this.series.set(key, made);
    return made;
  }
}

/** Metrics that can be read: those of a meter, or a table. */
export interface MetricStores {
  /** Looks up what is told best at the moment it is read. */
  look(): void;
  stores(): Iterable<MetricStore>;
}
