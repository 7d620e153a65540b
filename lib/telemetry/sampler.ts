/** Which traces are kept: the samplers of the OpenTelemetry specification (trace/sdk.md, "Built-in samplers") by their names in OTEL_TRACES_SAMPLER. */
import type { SpanContext } from '../base/trace.ts';
import type { SamplerSettings } from './settings.ts';
import type { SamplerName } from './variables.ts';

/** Whether a span that is about to begin is kept. */
export type Sampler = (traceId: string, parent: SpanContext | undefined) => boolean;

const roots: Readonly<Record<SamplerSettings['kind'], (ratio: number) => Sampler>> = { always_on: () => always, always_off: () => never, traceidratio: byRatio };

/** What a name stands for. `ratio` counts for those that have one. */
export function samplerNamed(name: SamplerName, ratio: number | undefined): SamplerSettings {
  const bare = name.replace(/^parentbased_/, '');
  const kind = bare === 'traceidratio' || bare === 'always_off' ? bare : 'always_on';
  return { kind, parentBased: bare !== name, ratio: kind === 'traceidratio' ? ratio ?? 1 : kind === 'always_off' ? 0 : 1 };
}

/** A ratio outside 0 to 1 is 1. */
export function createSampler({ kind, parentBased, ratio }: SamplerSettings): Sampler {
  const root = roots[kind](ratio >= 0 && ratio <= 1 ? ratio : 1);
  return parentBased ? asParent(root) : root;
}

function always(): boolean {
  return true;
}

function never(): boolean {
  return false;
}

/** Who begins a trace decides for all. */
function asParent(root: Sampler): Sampler {
  return (traceId, parent) => (parent === undefined ? root(traceId, parent) : parent.sampled);
}

/**
 * Consistent with whoever else follows the specification (trace/tracestate-probability-sampling.md): the last 56 bits of the trace id are the chance
 * R, the threshold T is (1 - ratio) · 2^56, and what has R >= T is kept. What is kept at a ratio is kept at every higher one.
 */
function byRatio(ratio: number): Sampler {
  const threshold = BigInt(Math.round((1 - ratio) * 2 ** 56));
  if (threshold >= 1n << 56n) return never;
  // Both are 14 lower-case hexadecimal digits: their order as texts is that of the numbers.
  const text = threshold.toString(16).padStart(14, '0');
  return (traceId) => traceId.slice(-14) >= text;
}
