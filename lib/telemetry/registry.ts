/**
 * The metrics of a table: counters, gauges and histograms by the names it has, with labels that are known beforehand, for `/metrics` and OTLP
 * alike. A value that is no measurement (not finite, or below zero where it cannot be) is not taken; measuring never throws.
 */
import type { HistogramPoint, Labels, MetricDefinition, MetricFamily, MetricKind, NumberPoint } from '../base/metric.ts';
import type { KeptAttributes } from '../base/telemetry-data.ts';
import { MetricStore, mostSeries, type MetricIdentity, type MetricStores, type Series } from './series.ts';

export { mostSeries };

/** Definitions by name. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** The names in a table that are of a kind. */
type NamesOf<Table extends MetricTable, Kind extends MetricKind> = { [Name in keyof Table & string]: Table[Name]['kind'] extends Kind ? Name : never }[keyof Table & string];

/** Label values stand in the order of the definition's labels. */
export interface Registry<Table extends MetricTable = MetricTable> extends MetricStores {
  add(name: NamesOf<Table, 'counter'>, amount: number, labels?: readonly string[]): void;
  set(name: NamesOf<Table, 'gauge'>, value: number, labels?: readonly string[]): void;
  observe(name: NamesOf<Table, 'histogram'>, value: number, labels?: readonly string[]): void;
  /** Calls `look` whenever values are about to be read: for what is told best at that moment. */
  beforeReading(look: () => void): void;
  /** Everything as it stands now, in the order of the table. Nothing in it changes afterwards. */
  read(): readonly MetricFamily[];
}

const longestLabel = 200;

/** `startTime`: from when on it counts, in milliseconds since 1970; who reads it as OTLP tells that. */
export function createRegistry<const Table extends MetricTable>(table: Table, startTime: number = 0): Registry<Table> {
  const metrics = new Map(Object.entries<MetricDefinition>(table).map(([name, definition]) => [name, new MetricStore(identityOf(name, definition), startTime)]));
  const looks: (() => void)[] = [];
  const found = (name: string, labels: readonly string[]): Series | undefined => {
    const [store, definition] = [metrics.get(name), table[name]];
    return store === undefined || definition === undefined ? undefined : store.at(keyOf(labels), () => attributesOf(definition.labels, labels));
  };
  const look = (): void => { for (const one of looks) one(); };
  // A counter without labels exists from the beginning: its first increase must be seen as one.
  for (const [name, { kind, labels }] of Object.entries<MetricDefinition>(table)) if (kind === 'counter' && labels.length === 0) found(name, []);
  return {
    add(name, amount, labels = []) {
      if (amount >= 0 && amount < Infinity) found(name, labels)?.add(amount);
    },
    set(name, value, labels = []) {
      if (Number.isFinite(value)) found(name, labels)?.set(value);
    },
    observe(name, value, labels = []) {
      if (value >= 0 && value < Infinity) found(name, labels)?.record(value, table[name]?.bounds ?? []);
    },
    beforeReading: (one) => { looks.push(one); },
    look,
    stores: () => metrics.values(),
    read() {
      look();
      return Object.entries<MetricDefinition>(table).map(([name, definition]) => familyOf(name, definition, metrics.get(name)?.series.values() ?? []));
    },
  };
}

/** With the lengths no two lists of values can look alike. */
function keyOf(labels: readonly string[]): string {
  let key = '';
  for (const label of labels) key += `${label.length} ${label}`;
  return key;
}

function attributesOf(names: readonly string[], labels: readonly string[]): KeptAttributes {
  return { entries: names.flatMap((name, at) => [name, (labels[at] ?? '').slice(0, longestLabel)]), dropped: 0 };
}

/** Units as UCUM writes them. */
const units = { seconds: 's', bytes: 'By' } as const;

function identityOf(name: string, { kind, help, unit, bounds = [] }: MetricDefinition): MetricIdentity {
  return { name, kind, unit: unit === undefined ? '' : units[unit], description: help, bounds, isObserved: false };
}

function familyOf(name: string, { kind, help, unit, bounds = [] }: MetricDefinition, series: Iterable<Series>): MetricFamily {
  const common = { name, help, ...(unit === undefined ? {} : { unit }) };
  if (kind !== 'histogram') return { ...common, kind, points: Array.from(series, (one): NumberPoint => ({ ...labelled(one), value: one.value })) };
  return { ...common, kind, bounds, points: Array.from(series, (one): HistogramPoint => ({ ...labelled(one), counts: [...one.counts], sum: one.value, count: one.count })) };
}

function labelled({ attributes: { entries }, overflow }: Series): { readonly labels: Labels; readonly overflow: boolean } {
  return { labels: overflow ? [] : Array.from({ length: entries.length / 2 }, (_, at) => [String(entries[2 * at]), String(entries[2 * at + 1])]), overflow };
}
