/**
 * Measurements as Prometheus reads them: text format 0.0.4, and OpenMetrics 1.0.0, which says the unit, ends with `# EOF`
 * and names a counter's family without `_total`. Label values may hold anything; names must be right, and are refused
 * otherwise. A bound is written the same in both (`le="1.0"`), so that a series does not change with the format.
 */
import { LokiError } from '../errors.ts';
import type { HistogramPoint, Labels, MetricFamily, NumberPoint } from '../base/metric.ts';

/** Which of the two. */
export type Exposition = 'text' | 'openmetrics';

/** As the OpenTelemetry specification marks the series that stands for all others. */
const overflowLabel = ['otel_metric_overflow', 'true'] as const;

/** All families that have a series, in their order, each in one piece. */
export function writePrometheus(families: readonly MetricFamily[], how: Exposition): string {
  const lines = families.filter(({ points }) => points.length > 0).flatMap((family) => [...describe(family, how), ...samplesOf(family)]);
  if (how === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** OpenMetrics: TYPE, UNIT, HELP. */
function describe({ name, kind, unit, help }: MetricFamily, how: Exposition): readonly string[] {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw refused(`"${name}" is no name of a metric`);
  if (how === 'text') return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${kind}`];
  const family = kind === 'counter' ? name.replace(/_total$/, '') : name;
  if (unit !== undefined && !family.endsWith(`_${unit}`)) throw refused(`the name of "${name}" does not end with its unit, ${unit}`);
  return [`# TYPE ${family} ${kind}`, ...(unit === undefined ? [] : [`# UNIT ${family} ${unit}`]), `# HELP ${family} ${escapeHelp(help).replaceAll('"', '\\"')}`];
}

function samplesOf(family: MetricFamily): readonly string[] {
  const { name } = family;
  if (family.kind !== 'histogram') return family.points.map((point) => `${name}${labelText(labelsOf(point))} ${number(point.value)}`);
  return family.points.flatMap((point) => histogramLines(name, family.bounds, point));
}

/** Buckets hold what is at most their bound, so each includes the ones before it. */
function histogramLines(name: string, bounds: readonly number[], point: HistogramPoint): readonly string[] {
  const labels = labelsOf(point);
  let sum = 0;
  const buckets = [...bounds, Infinity].map((bound, at) => {
    sum += point.counts[at] ?? 0;
    return `${name}_bucket${labelText([...labels, ['le', canonical(bound)]])} ${sum}`;
  });
  return [...buckets, `${name}_sum${labelText(labels)} ${number(point.sum)}`, `${name}_count${labelText(labels)} ${point.count}`];
}

function labelsOf({ labels, overflow }: Pick<NumberPoint, 'labels' | 'overflow'>): Labels {
  for (const [name] of labels) if (!/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name === 'le') throw refused(`"${name}" is no name of a label`);
  return overflow ? [overflowLabel] : labels;
}

function labelText(labels: Labels): string {
  return labels.length === 0 ? '' : `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

/** NUL ends the text for some readers, and a carriage return may stand nowhere: neither has an escape. */
function plain(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(/\r\n?/g, '\n');
}

function escapeHelp(text: string): string {
  return plain(text).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return /[\\"\n\r\0]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** A bound as OpenMetrics has it: with a decimal point or an exponent. */
function canonical(bound: number): string {
  const text = number(bound);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function refused(found: string): LokiError {
  return new LokiError('internal', { attempted: 'write metrics', found });
}
