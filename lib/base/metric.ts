/**
 * What was measured, as plain values that no receiver's format shows through: `/metrics` and OTLP are both made of these.
 * Types only. Values count from the moment the process began to count; a receiver sees a restart by their falling.
 */

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** What a metric is, before anything is measured. */
export interface MetricDefinition {
  readonly kind: MetricKind;
  /** One sentence for people. */
  readonly help: string;
  /** The name ends with it, a counter's before `_total`. */
  readonly unit?: 'seconds' | 'bytes';
  /** Names of the labels; each series has a value for each. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, rising, without infinity. */
  readonly bounds?: readonly number[];
}

/** Name and value of every label of a series. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** One series of a counter or gauge. `overflow`: it stands for all series beyond the bound, and has no labels. */
export interface NumberPoint {
  readonly labels: Labels;
  readonly overflow: boolean;
  readonly value: number;
}

/** One series of a histogram. `counts` has one number a bucket, not summed up, and a last one for what is above all bounds. */
export interface HistogramPoint {
  readonly labels: Labels;
  readonly overflow: boolean;
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

interface Family {
  /** As Prometheus calls it: a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly unit?: 'seconds' | 'bytes';
}

/** A metric with all its series. */
export type MetricFamily =
  | (Family & { readonly kind: 'counter' | 'gauge'; readonly points: readonly NumberPoint[] })
  | (Family & { readonly kind: 'histogram'; readonly bounds: readonly number[]; readonly points: readonly HistogramPoint[] });
