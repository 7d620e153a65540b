/**
 * Where measurements are kept until somebody asks: counters, gauges and histograms by a table of definitions. What is kept is
 * bounded: past 2000 series of a metric the rest is counted as one (`overflow`), so that no caller can fill memory with
 * labels. A value that is no measurement (not finite, or a counter's below zero) is not taken; measuring never throws.
 */
import type { HistogramPoint, Labels, MetricDefinition, MetricFamily, MetricKind, NumberPoint } from '../base/metric.ts';

/** Definitions by name. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** The names in a table that are of a kind. */
type NamesOf<Table extends MetricTable, Kind extends MetricKind> = { [Name in keyof Table & string]: Table[Name]['kind'] extends Kind ? Name : never }[keyof Table & string];

/** Label values stand in the order of the definition's labels. */
export interface Registry<Table extends MetricTable = MetricTable> {
  add(name: NamesOf<Table, 'counter'>, amount: number, labels?: readonly string[]): void;
  set(name: NamesOf<Table, 'gauge'>, value: number, labels?: readonly string[]): void;
  observe(name: NamesOf<Table, 'histogram'>, value: number, labels?: readonly string[]): void;
  /** Calls `look` whenever values are about to be read: for what is told best at that moment. */
  beforeReading(look: () => void): void;
  /** Everything as it stands now, in the order of the table. Nothing in it changes afterwards. */
  read(): readonly MetricFamily[];
}

/** Series of one metric, the one for the rest included; the bound of the OpenTelemetry metrics SDK. */
export const mostSeries: number = 2000;
const longestLabel = 200;

interface Series {
  readonly labels: Labels;
  readonly overflow: boolean;
  value: number;
  count: number;
  readonly counts: number[];
}

interface Metric {
  readonly definition: MetricDefinition;
  readonly series: Map<string, Series>;
}

export function createRegistry<const Table extends MetricTable>(table: Table): Registry<Table> {
  const metrics = new Map<string, Metric>(Object.entries(table).map(([name, definition]) => [name, { definition, series: new Map() }]));
  // A counter without labels exists from the beginning: its first increase must be seen as one.
  for (const { definition, series } of metrics.values()) if (definition.kind === 'counter' && definition.labels.length === 0) seriesOf({ definition, series }, []);
  const looks: (() => void)[] = [];
  const found = (name: string, labels: readonly string[]): Series | undefined => {
    const metric = metrics.get(name);
    return metric === undefined ? undefined : seriesOf(metric, labels);
  };
  return {
    add(name, amount, labels = []) {
      if (!(amount >= 0 && amount < Infinity)) return;
      const series = found(name, labels);
      if (series !== undefined) series.value += amount;
    },
    set(name, value, labels = []) {
      if (!Number.isFinite(value)) return;
      const series = found(name, labels);
      if (series !== undefined) series.value = value;
    },
    observe(name, value, labels = []) {
      if (!(value >= 0 && value < Infinity)) return;
      const series = found(name, labels);
      if (series === undefined) return;
      const at = bucketOf(table[name]?.bounds ?? [], value);
      series.counts[at] = (series.counts[at] ?? 0) + 1;
      series.value += value;
      series.count += 1;
    },
    beforeReading: (look) => { looks.push(look); },
    read() {
      for (const look of looks) look();
      return [...metrics].map(([name, metric]) => familyOf(name, metric));
    },
  };
}

/** The series with these values, made when there is none; past the bound the one that stands for the rest. */
function seriesOf({ definition, series }: Metric, values: readonly string[]): Series {
  let key = '';
  // With the lengths no two lists of values can look alike.
  for (const value of values) key += `${value.length} ${value}`;
  const known = series.get(key);
  if (known !== undefined) return known;
  const overflow = series.size >= mostSeries - 1;
  if (overflow) key = 'overflow';
  const rest = series.get(key);
  if (rest !== undefined) return rest;
  const labels: Labels = overflow ? [] : definition.labels.map((name, at) => [name, (values[at] ?? '').slice(0, longestLabel)]);
  const made: Series = { labels, overflow, value: 0, count: 0, counts: definition.kind === 'histogram' ? new Array<number>((definition.bounds ?? []).length + 1).fill(0) : [] };
  series.set(key, made);
  return made;
}

/** The first bucket whose bound is not below the value; one behind the last where none is. */
function bucketOf(bounds: readonly number[], value: number): number {
  const at = bounds.findIndex((bound) => value <= bound);
  return at < 0 ? bounds.length : at;
}

function familyOf(name: string, { definition, series }: Metric): MetricFamily {
  const { kind, help, unit } = definition;
  const common = { name, help, ...(unit === undefined ? {} : { unit }) };
  const all = [...series.values()];
  if (kind === 'histogram') {
    const points = all.map(({ labels, overflow, value, count, counts }): HistogramPoint => ({ labels, overflow, counts: [...counts], sum: value, count }));
    return { ...common, kind, bounds: definition.bounds ?? [], points };
  }
  return { ...common, kind, points: all.map(({ labels, overflow, value }): NumberPoint => ({ labels, overflow, value })) };
}
