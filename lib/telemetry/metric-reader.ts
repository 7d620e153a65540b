/**
 * Reads what was measured, for one receiver's way of counting: since the beginning (cumulative), or since it was read last (delta). Each reader
 * remembers what it has read by itself, so that several can read the same metrics. Changes nothing of what is kept.
 */
import type { Exemplar, ExponentialCounts, ExponentialData, HistogramData, MetricData, NumberData, Scope, Temporality } from '../base/telemetry-data.ts';
import { countsSince } from './exponential.ts';
import { noExtremes, type Extremes, type MetricIdentity, type MetricStore, type Series } from './series.ts';
import type { Temporality as CountedAs } from './settings.ts';

export interface MetricReader {
  /** Those that have a series, as they stand at `now`, in milliseconds since 1970. */
  read(scope: Scope, stores: Iterable<MetricStore>, now: number): readonly MetricData[];
}

/** Which are told as what came since; up-down counters never are (metrics/sdk_exporters/otlp.md). */
function temporalityOf(countedAs: CountedAs, { kind, isObserved }: MetricIdentity): Temporality {
  if (countedAs === 'cumulative' || kind === 'updown') return 'cumulative';
  return countedAs === 'lowmemory' && isObserved ? 'cumulative' : 'delta';
}

/** A series as it stood when it was read last. */
interface Before {
  time: number;
  value: number;
  count: number;
  counts: readonly number[];
  exponential: ExponentialCounts | undefined;
  /** Kept by the series for this reader. */
  readonly extremes: Extremes | undefined;
}

export function createMetricReader(countedAs: CountedAs): MetricReader {
  const read = new WeakMap<Series, Before>();
  /** When each metric was read last: from then on new series of it are counted. */
  const times = new WeakMap<MetricStore, number>();

  function dataOf(scope: Scope, store: MetricStore, now: number): MetricData | undefined {
    const { identity } = store;
    const { name, description, unit, kind, bounds, isExponential } = identity;
    const common = { scope, name, description, unit };
    const temporality = temporalityOf(countedAs, identity);
    const series = [...store.series.values()];
    const since = times.get(store) ?? 0;
    times.set(store, now);
    if (kind === 'histogram' && isExponential === true) return { ...common, kind: 'exponential histogram', temporality, points: present(series.map((one) => exponentialOf(one, temporality, since, now))) };
    if (kind === 'histogram') return { ...common, kind, temporality, bounds, points: present(series.map((one) => histogramOf(one, temporality, since, now))) };
    if (kind === 'gauge') return { ...common, kind, points: present(series.map((one) => (one.count === 0 ? undefined : numberOf(one, one.value, one.startTime, since, now)))) };
    return { ...common, kind: 'sum', monotonic: kind === 'counter', temporality, points: present(series.map((one) => sumOf(one, temporality, since, now))) };
  }

  function sumOf(series: Series, temporality: Temporality, since: number, now: number): NumberData | undefined {
    if (temporality === 'cumulative') return numberOf(series, series.value, series.startTime, since, now);
    const before = read.get(series);
    const began = Math.max(since, series.startTime);
    if (before !== undefined && before.count === series.count) return undefined;
    // An observed sum that began anew counts from nothing.
    const base = before === undefined || before.time < series.startTime ? 0 : before.value;
    read.set(series, { time: now, value: series.value, count: series.count, counts: [], exponential: undefined, extremes: undefined });
    return series.count === 0 ? undefined : numberOf(series, series.value - base, began, since, now);
  }

  /** What all histograms have, and how the series stood when it was read last, where that is taken off. */
  function spreadOf(series: Series, temporality: Temporality, since: number, now: number): { readonly told: Omit<HistogramData, 'counts'>; readonly before: Before | undefined } | undefined {
    if (series.count === 0) return undefined;
    const { counts, count, value, hasNegative } = series;
    const common = { attributes: series.attributes, time: now, ...exemplars(series, since) };
    if (temporality === 'cumulative') return { told: { ...common, startTime: series.startTime, count, sum: hasNegative ? undefined : value, ...extremesOf(series.extremes[0]) }, before: undefined };
    const before = read.get(series);
    if (before?.count === count) return undefined;
    const { extremes = series.extremes[0], value: base = 0, count: counted = 0 } = before ?? {};
    const told = { ...common, startTime: Math.max(since, series.startTime), count: count - counted, sum: hasNegative ? undefined : value - base, ...extremesOf(extremes) };
    read.set(series, { time: now, value, count, counts: [...counts], exponential: series.exponential?.counts(), extremes: begun(series, before?.extremes) });
    return { told, before };
  }

  function histogramOf(series: Series, temporality: Temporality, since: number, now: number): HistogramData | undefined {
    const { told, before } = spreadOf(series, temporality, since, now) ?? {};
    return told === undefined ? undefined : { ...told, counts: series.counts.map((number, at) => number - (before?.counts[at] ?? 0)) };
  }

  function exponentialOf(series: Series, temporality: Temporality, since: number, now: number): ExponentialData | undefined {
    const { told, before } = spreadOf(series, temporality, since, now) ?? {};
    const counts = series.exponential?.counts();
    if (told === undefined || counts === undefined) return undefined;
    return { ...told, counts: before?.exponential === undefined ? counts : countsSince(counts, before.exponential) };
  }

  return { read: (scope, stores, now) => present(Array.from(stores, (store) => dataOf(scope, store, now))).filter(({ points }) => points.length > 0) };
}

function numberOf(series: Series, value: number, startTime: number, since: number, now: number): NumberData {
  return { attributes: series.attributes, startTime, time: now, value, ...exemplars(series, since) };
}

/** Those that came since. */
function exemplars({ exemplars: all }: Series, since: number): { readonly exemplars?: readonly Exemplar[] } {
  if (all === undefined) return {};
  return { exemplars: all.filter((one) => one !== undefined && one.time >= since) as readonly Exemplar[] };
}

function extremesOf(extremes: Extremes | undefined): { readonly min: number | undefined; readonly max: number | undefined } {
  return { min: extremes?.min, max: extremes?.max };
}

/** The smallest and largest from now on. */
function begun(series: Series, known: Extremes | undefined): Extremes {
  if (known !== undefined) return Object.assign(known, noExtremes());
  const made = noExtremes();
  series.extremes.push(made);
  return made;
}

function present<Item>(items: readonly (Item | undefined)[]): readonly Item[] {
  return items.filter((item) => item !== undefined);
}
