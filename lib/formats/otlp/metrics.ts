/**
 * Metrics -> OTLP/JSON (metrics.proto). A metric with more points than a message may hold is told in several. Values are always doubles, so
 * that a series does not change its type when its value happens to be whole.
 */
import type { Exemplar, ExponentialBuckets, ExponentialData, HistogramData, MetricData, NumberData, Resource } from '../../base/telemetry-data.ts';
import { envelop, usualBounds, type Encoded, type MessageBounds, type Written } from './envelope.ts';
import { idsText, Texts } from './texts.ts';
import { double, quote } from './value.ts';

const temporalities = { delta: 1, cumulative: 2 } as const;

/** In as many messages as the bounds require; items are data points. */
export function encodeMetrics(resource: Resource, metrics: readonly MetricData[], bounds: MessageBounds = usualBounds): Encoded {
  const texts = new Texts();
  return envelop('metrics', resource, metrics.flatMap((metric) => metricTexts(metric, texts, bounds)), bounds);
}

/** One text, or several where there are too many points for one. */
function metricTexts(metric: MetricData, texts: Texts, bounds: MessageBounds): readonly Written[] {
  const [head, tail] = frame(metric);
  const points = pointTexts(metric, texts);
  return [...parts(points, bounds)].map((part, at) => ({ scope: metric.scope, text: `${head}${part.join(',')}${tail}`, items: part.length, apart: at > 0 }));
}

function pointTexts(metric: MetricData, texts: Texts): readonly string[] {
  switch (metric.kind) {
    case 'histogram': return metric.points.map((point) => histogramText(point, metric.bounds, texts));
    case 'exponential histogram': return metric.points.map((point) => exponentialText(point, texts));
    default: return metric.points.map((point) => numberText(point, texts));
  }
}

/** Half of a message at most, so that there is room for what is around them. */
function* parts(texts: readonly string[], { items, characters }: MessageBounds): Generator<readonly string[]> {
  let [part, size]: [string[], number] = [[], 0];
  for (const text of texts) {
    if (part.length > 0 && (part.length >= items || size + text.length > characters / 2)) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(text);
    size += text.length + 1;
  }
  if (part.length > 0) yield part;
}

function frame(metric: MetricData): readonly [head: string, tail: string] {
  const { name, description, unit } = metric;
  const head = `{"name":${quote(name)}${description === '' ? '' : `,"description":${quote(description)}`}${unit === '' ? '' : `,"unit":${quote(unit)}`}`;
  switch (metric.kind) {
    case 'gauge': return [`${head},"gauge":{"dataPoints":[`, ']}}'];
    case 'sum': return [`${head},"sum":{"aggregationTemporality":${temporalities[metric.temporality]},"isMonotonic":${metric.monotonic},"dataPoints":[`, ']}}'];
    case 'histogram': return [`${head},"histogram":{"aggregationTemporality":${temporalities[metric.temporality]},"dataPoints":[`, ']}}'];
    case 'exponential histogram': return [`${head},"exponentialHistogram":{"aggregationTemporality":${temporalities[metric.temporality]},"dataPoints":[`, ']}}'];
  }
}

function pointText({ attributes, startTime, time, exemplars = [] }: NumberData | HistogramData | ExponentialData, texts: Texts): string {
  const told = exemplars.length === 0 ? '' : `,"exemplars":[${exemplars.map((exemplar) => exemplarText(exemplar, texts)).join(',')}]`;
  return `"startTimeUnixNano":${texts.nanos(Math.min(startTime, time))},"timeUnixNano":${texts.nanos(time)}${texts.list(attributes)}${told}`;
}

function numberText(point: NumberData, texts: Texts): string {
  return `{${pointText(point, texts)},"asDouble":${double(point.value)}}`;
}

function exemplarText({ value, time, context }: Exemplar, texts: Texts): string {
  return `{"timeUnixNano":${texts.nanos(time)},"asDouble":${double(value)},${idsText(context)}}`;
}

/** Without bounds there are no counts either. */
function histogramText(point: HistogramData, bounds: readonly number[], texts: Texts): string {
  const buckets = bounds.length === 0 ? '' : `,"bucketCounts":[${countsText(point.counts)}],"explicitBounds":[${bounds.map(double).join(',')}]`;
  return `{${pointText(point, texts)}${spreadText(point)}${buckets}}`;
}

function exponentialText(point: ExponentialData, texts: Texts): string {
  const { scale, zeroCount, positive, negative } = point.counts;
  return `{${pointText(point, texts)}${spreadText(point)},"scale":${scale},"zeroCount":"${zeroCount}"${bucketsText('positive', positive)}${bucketsText('negative', negative)}}`;
}

function bucketsText(name: string, { offset, counts }: ExponentialBuckets): string {
  return counts.length === 0 ? '' : `,"${name}":{"offset":${offset},"bucketCounts":[${countsText(counts)}]}`;
}

function countsText(counts: readonly number[]): string {
  return counts.map((number) => `"${number}"`).join(',');
}

/** `sum`, `min` and `max` are left out where they mean nothing. */
function spreadText({ count, sum, min, max }: HistogramData | ExponentialData): string {
  const optional = [['sum', sum], ['min', min], ['max', max]].map(([name, value]) => (typeof value === 'number' ? `,"${name}":${double(value)}` : '')).join('');
  return `,"count":"${count}"${optional}`;
}
