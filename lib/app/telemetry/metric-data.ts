/** What was measured, as OTLP is made of it. A series says from when on it was counted; of what came since the last time, those without a change are left out. */
import type { HistogramPoint, MetricFamily, NumberPoint } from '../../base/metric.ts';
import type { HistogramData, KeptAttributes, MetricData, Scope } from '../../base/telemetry-data.ts';

export interface MetricDataOptions {
  readonly scope: Scope;
  readonly temporality: 'cumulative' | 'delta';
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly time: number;
}

/** Units as UCUM writes them; that of the conventions' token counts is theirs. */
const units: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By' };
const unitsByName: ReadonlyMap<string, string> = new Map([['gen_ai.client.token.usage', '{token}']]);

/** Metrics without a series are left out. */
export function metricData(families: readonly MetricFamily[], options: MetricDataOptions): readonly MetricData[] {
  return families.map((family) => dataOf(family, options)).filter(({ points }) => points.length > 0);
}

function dataOf(family: MetricFamily, { scope, temporality, startTime, time }: MetricDataOptions): MetricData {
  const common = { scope, name: family.name, description: family.help, unit: unitsByName.get(family.name) ?? units[family.unit ?? ''] ?? '' };
  const isDelta = temporality === 'delta';
  if (family.kind === 'histogram') {
    const points = family.points.filter(({ count }) => count > 0 || !isDelta).map((point): HistogramData => ({
      attributes: attributesOf(point), startTime, time, counts: point.counts, count: point.count, sum: point.sum, min: undefined, max: undefined,
    }));
    return { ...common, kind: 'histogram', temporality, bounds: family.bounds, points };
  }
  const isGauge = family.kind === 'gauge';
  const points = family.points.filter(({ value }) => isGauge || value > 0 || !isDelta).map((point) => ({ attributes: attributesOf(point), startTime, time, value: point.value }));
  return isGauge ? { ...common, kind: 'gauge', points } : { ...common, kind: 'sum', monotonic: true, temporality, points };
}

function attributesOf({ labels, overflow }: NumberPoint | HistogramPoint): KeptAttributes {
  if (overflow) return { entries: ['otel.metric.overflow', true], dropped: 0 };
  return { entries: labels.flat(), dropped: 0 };
}
