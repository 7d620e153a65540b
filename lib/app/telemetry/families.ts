/**
 * Arithmetic on what was measured: counts of this process on top of those that were kept, and what came since another reading. Series are the same
 * where name and labels are. A series that was there before and is not any more is left out of a difference, one that fell counts anew.
 */
import type { HistogramPoint, MetricFamily, NumberPoint } from '../../base/metric.ts';

/** Counters and histograms summed up; of gauges those of `now`, where it has them. */
export function addFamilies(before: readonly MetricFamily[], now: readonly MetricFamily[]): readonly MetricFamily[] {
  return combine(before, now, {
    number: (kept, own) => own.kind === 'gauge' ? own.value : kept + own.value,
    histogram: (kept, own) => ({ ...own, counts: own.counts.map((count, at) => count + (kept.counts[at] ?? 0)), sum: own.sum + kept.sum, count: own.count + kept.count }),
    keeps: true,
  });
}

/** What came since `before`; gauges as they are. */
export function subtractFamilies(now: readonly MetricFamily[], before: readonly MetricFamily[]): readonly MetricFamily[] {
  return combine(before, now, {
    number: (kept, own) => own.kind === 'gauge' || own.value < kept ? own.value : own.value - kept,
    histogram: (kept, own) => (own.count < kept.count ? own : { ...own, counts: own.counts.map((count, at) => count - (kept.counts[at] ?? 0)), sum: own.sum - kept.sum, count: own.count - kept.count }),
    keeps: false,
  });
}

interface Combining {
  number(kept: number, own: { readonly kind: 'counter' | 'gauge'; readonly value: number }): number;
  histogram(kept: HistogramPoint, own: HistogramPoint): HistogramPoint;
  /** Whether series that only stand before are kept. */
  readonly keeps: boolean;
}

function combine(before: readonly MetricFamily[], now: readonly MetricFamily[], how: Combining): readonly MetricFamily[] {
  const known = new Map(before.map((family) => [family.name, family]));
  const combined = now.map((family) => combineOne(known.get(family.name), family, how));
  const names = new Set(now.map(({ name }) => name));
  return how.keeps ? [...combined, ...before.filter(({ name }) => !names.has(name))] : combined;
}

function combineOne(before: MetricFamily | undefined, now: MetricFamily, how: Combining): MetricFamily {
  if (before === undefined) return now;
  if (now.kind === 'histogram') {
    // With other bounds it is another histogram.
    if (before.kind !== 'histogram' || before.bounds.join() !== now.bounds.join()) return now;
    return { ...now, points: points<HistogramPoint>(before.points, now.points, how.keeps, (kept, own) => how.histogram(kept, own)) };
  }
  const { kind } = now;
  if (before.kind !== kind) return now;
  return { ...now, points: points<NumberPoint>(before.points, now.points, how.keeps, (kept, own) => ({ ...own, value: how.number(kept.value, { kind, value: own.value }) })) };
}

function points<Point extends NumberPoint | HistogramPoint>(before: readonly Point[], now: readonly Point[], keeps: boolean, combined: (kept: Point, own: Point) => Point): readonly Point[] {
  const known = new Map(before.map((point) => [keyOf(point), point]));
  const result = now.map((own) => {
    const kept = known.get(keyOf(own));
    known.delete(keyOf(own));
    return kept === undefined ? own : combined(kept, own);
  });
  return keeps ? [...result, ...known.values()] : result;
}

function keyOf({ labels, overflow }: NumberPoint | HistogramPoint): string {
  return overflow ? 'overflow' : JSON.stringify(labels);
}
