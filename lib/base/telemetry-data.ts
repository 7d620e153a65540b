/**
 * What was told, as plain values: spans that ended, log records, and measurements with all they need to leave the process. Types
 * only; whoever makes them is in `lib/telemetry/`, and who writes them in `lib/formats/otlp/`. Times are milliseconds since 1970, with fractions.
 */
import type { Attributes, SpanContext, SpanKind } from './trace.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

/** Who did what is told: the entity of OpenTelemetry's resource. */
export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
}

/** Which part of it told (instrumentation scope). */
export interface Scope {
  readonly name: string;
  readonly version?: string;
  readonly attributes?: Attributes;
  readonly schemaUrl?: string;
}

/** A value that was written as OTLP/JSON when it was given, so that nothing that happens to it afterwards shows. */
export interface WrittenValue {
  /** An AnyValue: `{"arrayValue":…}`. */
  readonly json: string;
}

export type KeptValue = string | number | boolean | bigint | WrittenValue;

export interface KeptAttributes {
  /** A name, its value, the next name, its value …; each name once. One list for both is half the memory of two, and of spans there are many. */
  readonly entries: readonly KeptValue[];
  /** How many more there were than are kept. */
  readonly dropped: number;
}

export interface KeptEvent {
  readonly name: string;
  readonly time: number;
  readonly attributes: KeptAttributes;
}

export interface KeptLink {
  readonly context: SpanContext;
  readonly attributes: KeptAttributes;
}

/** A span that ended. It has had its last change. */
export interface SpanData {
  readonly scope: Scope;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTime: number;
  readonly endTime: number;
  readonly attributes: KeptAttributes;
  readonly events: readonly KeptEvent[];
  readonly droppedEvents: number;
  readonly links: readonly KeptLink[];
  readonly droppedLinks: number;
  readonly outcome: 'unset' | 'ok' | 'error';
  readonly message: string | undefined;
  /** About how many characters of memory it holds. */
  readonly size: number;
}

/** A log record; with `name` it is an event. */
export interface LogData {
  readonly scope: Scope;
  readonly name: string | undefined;
  readonly time: number;
  readonly observedTime: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string | undefined;
  readonly attributes: KeptAttributes;
  readonly context: SpanContext | undefined;
  readonly size: number;
}

/** One measurement that stands for many, with the span in which it was made. */
export interface Exemplar {
  readonly value: number;
  readonly time: number;
  readonly context: SpanContext;
}

interface Point {
  readonly attributes: KeptAttributes;
  /** From when on it was counted. */
  readonly startTime: number;
  readonly time: number;
  readonly exemplars?: readonly Exemplar[];
}

/** One series of a sum or gauge. */
export interface NumberData extends Point {
  readonly value: number;
}

/** One series of a histogram. `counts` has one number a bucket, not summed up, and a last one for what is above all bounds. */
export interface HistogramData extends Point {
  readonly counts: readonly number[];
  readonly count: number;
  /** Undefined when a value was below zero: it is no sum that only rises then. */
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** Counts of neighbouring buckets, from the one with the number `offset` on. */
export interface ExponentialBuckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** Bucket `n` is above b to the power of n and up to b to the power of n + 1, with b = 2 ** (2 ** -scale); of the negative ones, their amounts. */
export interface ExponentialCounts {
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: ExponentialBuckets;
  readonly negative: ExponentialBuckets;
}

/** One series of a histogram whose buckets nobody named. */
export interface ExponentialData extends Omit<HistogramData, 'counts'> {
  readonly counts: ExponentialCounts;
}

interface Metric {
  readonly scope: Scope;
  readonly name: string;
  readonly description: string;
  /** As UCUM writes it: `s`, `By`, `{token}`; empty where there is none. */
  readonly unit: string;
}

/** `delta`: since the last reading by the same reader. */
export type Temporality = 'cumulative' | 'delta';

/** A metric with all its series, as it stood at one moment. Nothing in it changes afterwards. */
export type MetricData =
  | (Metric & { readonly kind: 'gauge'; readonly points: readonly NumberData[] })
  | (Metric & { readonly kind: 'sum'; readonly monotonic: boolean; readonly temporality: Temporality; readonly points: readonly NumberData[] })
  | (Metric & { readonly kind: 'histogram'; readonly temporality: Temporality; readonly bounds: readonly number[]; readonly points: readonly HistogramData[] })
  | (Metric & { readonly kind: 'exponential histogram'; readonly temporality: Temporality; readonly points: readonly ExponentialData[] });
