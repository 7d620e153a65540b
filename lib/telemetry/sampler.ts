/** Which traces are kept: the samplers of the OpenTelemetry specification (trace/sdk.md, "Built-in samplers") by their names in OTEL_TRACES_SAMPLER. */
import type { SpanContext } from '../base/trace.ts';

/** Whether a span that is about to begin is kept. */
export type Sampler = (traceId: string, parent: SpanContext | undefined) => boolean;

export type SamplerName = 'always_on' | 'always_off' | 'traceidratio' | 'parentbased_always_on' | 'parentbased_always_off' | 'parentbased_traceidratio';

const samplers: Readonly<Record<SamplerName, (ratio: number) => Sampler>> = {
  always_on: () => always,
  always_off: () => never,
  traceidratio: byRatio,
  parentbased_always_on: () => asParent(always),
  parentbased_always_off: () => asParent(never),
  parentbased_traceidratio: (ratio) => asParent(byRatio(ratio)),
};

export const samplerNames: readonly string[] = Object.keys(samplers);

export function isSamplerName(name: string): name is SamplerName {
  return Object.hasOwn(samplers, name);
}

/** `ratio`, from 0 to 1, is what the samplers by ratio keep of all traces; outside it is 1, as where it is left out. */
export function createSampler(name: SamplerName, ratio: number = 1): Sampler {
  return samplers[name](ratio >= 0 && ratio <= 1 ? ratio : 1);
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
