/**
 * Instruments for whoever measures: counters, up-down counters, gauges and histograms with attributes of any kind. Nothing throws: a name that is
 * none gives an instrument that keeps nothing, a value that is no measurement is not taken. A sum is of doubles, whole up to 2^53.
 */
import type { KeptAttributes } from '../base/telemetry-data.ts';
import type { Attributes, SpanContext } from '../base/trace.ts';
import { keptValue } from '../formats/otlp/value.ts';
import { AttributeBag, type BagLimits } from './attributes.ts';
import { noInstrument } from './no-meter.ts';
import { MetricStore, mostSeries, Series, usualBounds, type MetricIdentity, type MetricStores } from './series.ts';
import { contextOf } from './span.ts';
import type { Times } from './times.ts';

export interface InstrumentOptions {
  /** As UCUM writes it: `s`, `By`, `{request}`. At most 63 characters. */
  readonly unit?: string;
  readonly description?: string;
}

export interface HistogramOptions extends InstrumentOptions {
  /** Upper bounds of the buckets, each belonging to its bucket, rising. They say nothing where histograms are exponential. */
  readonly bounds?: readonly number[];
}

/** A counter (never below 0) or an up-down counter. `context`: the span in which it was measured; where that is kept, it leads from the number to the trace (exemplar). */
export interface Counter {
  add(amount: number, attributes?: Attributes, context?: SpanContext): void;
  /** The counter of these attributes, for code that counts often: they are looked up once. */
  bind(attributes: Attributes): BoundCounter;
}

export interface BoundCounter {
  add(amount: number, context?: SpanContext): void;
}

/** What is so at the moment. */
export interface Gauge {
  record(value: number, attributes?: Attributes): void;
  bind(attributes: Attributes): BoundGauge;
}

export interface BoundGauge {
  record(value: number): void;
}

export interface Histogram {
  record(value: number, attributes?: Attributes, context?: SpanContext): void;
  bind(attributes: Attributes): BoundHistogram;
}

export interface BoundHistogram {
  record(value: number, context?: SpanContext): void;
}

/** Told inside a look: the sum since the beginning for a counter, what is so for a gauge. Once for each set of attributes. */
export type Observe = (value: number, attributes?: Attributes) => void;

/** Called whenever somebody reads; at once, and shortly. What it throws is not heard. */
export type Look = (observe: Observe) => void;

/** The same name with the same kind and unit is the same instrument, whatever the case of its letters. */
export interface Meter {
  createCounter(name: string, options?: InstrumentOptions): Counter;
  createUpDownCounter(name: string, options?: InstrumentOptions): Counter;
  createGauge(name: string, options?: InstrumentOptions): Gauge;
  createHistogram(name: string, options?: HistogramOptions): Histogram;
  /** Each answers with what ends the looking. */
  createObservableCounter(name: string, options: InstrumentOptions, look: Look): () => void;
  createObservableUpDownCounter(name: string, options: InstrumentOptions, look: Look): () => void;
  createObservableGauge(name: string, options: InstrumentOptions, look: Look): () => void;
}

/** Metrics of one meter; more are not kept. */
export const mostMetrics: number = 1000;

/** Names and units as the specification allows them (metrics/api.md, "Instrument name syntax", "Instrument unit"). */
const nameForm = /^[A-Za-z][A-Za-z0-9_./-]{0,254}$/;
const unitForm = /^[\x20-\x7e]{0,63}$/;
const longestDescription = 1023;
const attributeLimits: BagLimits = { count: 128, valueLength: 4096 };

interface Observed {
  readonly store: MetricStore;
  readonly look: Look;
}

/** A meter and what was measured with it. `begun` is called once, when there is something to read; `isExponential`: all its histograms are. */
export function createMeter(times: Times, begun: () => void = () => undefined, isExponential: boolean = false): { readonly meter: Meter; readonly stores: MetricStores } {
  const stores = new Map<string, MetricStore>();
  const observed = new Set<Observed>();

  function storeOf(name: string, kind: MetricIdentity['kind'], options: HistogramOptions | undefined, isObserved: boolean): MetricStore | undefined {
    const identity = identityOf(name, kind, options, isObserved);
    if (identity === undefined) return undefined;
    const key = name.toLowerCase();
    const known = stores.get(key);
    if (known !== undefined) return isSame(known.identity, identity) ? known : undefined;
    if (stores.size >= mostMetrics) return undefined;
    const made = new MetricStore(kind === 'histogram' && isExponential ? { ...identity, isExponential } : identity, times.now());
    stores.set(key, made);
    if (stores.size === 1) begun();
    return made;
  }

  function observable(name: string, kind: MetricIdentity['kind'], options: InstrumentOptions, look: Look): () => void {
    const store = typeof look === 'function' ? storeOf(name, kind, options, true) : undefined;
    if (store === undefined) return () => undefined;
    const one: Observed = { store, look };
    observed.add(one);
    return () => { observed.delete(one); };
  }

  let looks = 0;
  return {
    meter: {
      createCounter: (name, options) => sumOf(storeOf(name, 'counter', options, false), 0, times),
      createUpDownCounter: (name, options) => sumOf(storeOf(name, 'updown', options, false), -Infinity, times),
      createGauge: (name, options) => gaugeOf(storeOf(name, 'gauge', options, false)),
      createHistogram: (name, options) => histogramOf(storeOf(name, 'histogram', options, false), times),
      createObservableCounter: (name, options, look) => observable(name, 'counter', options, look),
      createObservableUpDownCounter: (name, options, look) => observable(name, 'updown', options, look),
      createObservableGauge: (name, options, look) => observable(name, 'gauge', options, look),
    },
    stores: {
      stores: () => stores.values(),
      look() {
        looks += 1;
        for (const one of observed) lookAt(one, looks, times);
        for (const { identity, series } of stores.values()) if (identity.isObserved) forget(series, looks);
      },
    },
  };
}

/** Undefined where the name is none: what is wrong beside it is left out. */
function identityOf(name: string, kind: MetricIdentity['kind'], options: HistogramOptions | undefined, isObserved: boolean): MetricIdentity | undefined {
  if (typeof name !== 'string' || !nameForm.test(name)) return undefined;
  const { unit, description, bounds } = options ?? {};
  return {
    name, kind, isObserved, bounds: kind === 'histogram' ? boundsOf(bounds) : [],
    unit: typeof unit === 'string' && unitForm.test(unit) ? unit : '',
    description: typeof description === 'string' ? description.slice(0, longestDescription) : '',
  };
}

/** The usual ones in place of bounds that do not rise. */
function boundsOf(bounds: readonly number[] | undefined): readonly number[] {
  if (!Array.isArray(bounds) || bounds.length > mostSeries) return usualBounds;
  const rises = bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > Number(bounds[at - 1])));
  return rises ? [...bounds] : usualBounds;
}

function isSame(one: MetricIdentity, other: MetricIdentity): boolean {
  return one.kind === other.kind && one.unit === other.unit && one.isObserved === other.isObserved;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function sumOf(store: MetricStore | undefined, least: number, times: Times): Counter {
  if (store === undefined) return noInstrument;
  const find = finder(store);
  const take = (series: Series, amount: number, context: SpanContext | undefined): void => {
    if (!(isNumber(amount) && amount >= least)) return;
    series.add(amount);
    if (context?.sampled === true) exemplify(series, 0, amount, times, context);
  };
  return {
    add: (amount, attributes, context) => take(find(attributes), amount, context),
    bind(attributes) {
      const series = find(attributes);
      return { add: (amount, context) => take(series, amount, context) };
    },
  };
}

function exemplify(series: Series, at: number, value: number, times: Times, given: SpanContext): void {
  const context = contextOf(given);
  if (context !== undefined) series.exemplify(at, value, times.now(), context);
}

function gaugeOf(store: MetricStore | undefined): Gauge {
  if (store === undefined) return noInstrument;
  const find = finder(store);
  const take = (series: Series, value: number): void => { if (isNumber(value)) series.set(value); };
  return {
    record: (value, attributes) => take(find(attributes), value),
    bind(attributes) {
      const series = find(attributes);
      return { record: (value) => take(series, value) };
    },
  };
}

/** Of a series whose buckets are many (metrics/sdk.md, "SimpleFixedSizeExemplarReservoir"). */
const mostExemplars = 20;

function histogramOf(store: MetricStore | undefined, times: Times): Histogram {
  if (store === undefined) return noInstrument;
  const find = finder(store);
  const { bounds, isExponential } = store.identity;
  const take = (series: Series, value: number, context: SpanContext | undefined): void => {
    if (!isNumber(value)) return;
    const at = series.record(value, bounds);
    if (context?.sampled === true) exemplify(series, isExponential === true ? Math.abs(at % mostExemplars) : at, value, times, context);
  };
  return {
    record: (value, attributes, context) => take(find(attributes), value, context),
    bind(attributes) {
      const series = find(attributes);
      return { record: (value, context) => take(series, value, context) };
    },
  };
}

/** Names and values, one after the other in the order in which they were given, and where they lead. */
interface Step {
  series: Series | undefined;
  readonly next: Map<string, Map<unknown, Step>>;
}

/** Ways that are remembered; beyond them a series is looked up by all its attributes. */
const mostSteps = 8 * mostSeries;

/** Finds the series of a set of attributes, in whatever order they stand. What is no attribute counts as not there. */
function finder(store: MetricStore): (attributes: Attributes | undefined) => Series {
  const first: Step = { series: undefined, next: new Map() };
  let steps = 0;

  function learn(attributes: Attributes, series: Series): void {
    let step = first;
    for (const name of Object.keys(attributes)) {
      const byValue = step.next.get(name) ?? new Map<unknown, Step>();
      const next = byValue.get(attributes[name]) ?? { series: undefined, next: new Map() };
      if (!byValue.has(attributes[name])) steps += 1;
      step.next.set(name, byValue.set(attributes[name], next));
      step = next;
    }
    step.series = series;
  }

  return (attributes) => {
    if (typeof attributes !== 'object' || attributes === null) return (first.series ??= seriesOf(store, undefined));
    const known = walk(first, attributes);
    if (known instanceof Series) return known;
    const series = seriesOf(store, attributes);
    if (known === 'unknown' && !series.overflow && steps < mostSteps) learn(attributes, series);
    return series;
  };
}

/** `strange`: there is something among them that has to be looked at closely each time. */
function walk(first: Step, attributes: Attributes): Series | 'unknown' | 'strange' {
  try {
    let step: Step | undefined = first;
    for (const name in attributes) {
      const value = attributes[name];
      if (typeof value === 'object' || typeof value === 'function' || !Object.hasOwn(attributes, name)) return 'strange';
      step = step?.next.get(name)?.get(value);
    }
    return step?.series ?? 'unknown';
  } catch {
    return 'strange';
  }
}

function seriesOf(store: MetricStore, attributes: Attributes | undefined): Series {
  const bag = new AttributeBag();
  if (typeof attributes === 'object' && attributes !== null) bag.setAll(attributes, attributeLimits);
  return store.at(sortedKey(bag), () => bag);
}

/** What is written the same is the same; with the lengths no two lists of attributes look alike. */
function sortedKey({ entries }: KeptAttributes): string {
  const parts = Array.from({ length: entries.length / 2 }, (_, at) => {
    const [name, value = ''] = [String(entries[2 * at]), entries[2 * at + 1]];
    return `${name.length} ${name}${keptValue(value)}`;
  });
  return parts.length < 2 ? parts.join('') : parts.sort().join('');
}

/** What is observed is as it was found: not added to what was. */
function lookAt({ store, look }: Observed, round: number, times: Times): void {
  try {
    look((value, attributes) => {
      if (!isNumber(value)) return;
      const series = seriesOf(store, attributes);
      // A sum that has fallen began anew.
      if (store.identity.kind === 'counter' && value < series.value) series.startTime = times.now();
      series.set(value);
      series.look = round;
    });
  } catch {
    return;
  }
}

function forget(series: Map<string, Series>, round: number): void {
  for (const [key, { look }] of series) if (look !== round) series.delete(key);
}
