/**
 * W3C Trace Context level 1 (https://www.w3.org/TR/trace-context/): the header `traceparent` (section 3.2), and the same text in the environment
 * variable TRACEPARENT, which hands a trace down to child processes. A text that cannot be read is no context, and begins a new trace.
 */
import type { SpanContext } from './trace.ts';

/** Any version but ff. A version above 00 may go on after another hyphen. */
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const longest = 512;
const usualLength = 55;
const sampledFlag = 1;

/** What the header says; undefined where it says nothing that is valid. */
export function parseTraceparent(text: string | undefined): SpanContext | undefined {
  if (text === undefined || text.length > longest) return undefined;
  const [, version, traceId, spanId, flags] = form.exec(text.trim()) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && text.trim().length !== usualLength) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0, isRemote: true };
}

/** The header for whoever is asked on behalf of this span. */
export function traceparentOf({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The context for a child: within the given trace when that can be read, else in a new, sampled one. `random` is at least 24 bytes. */
export function childTraceparent(given: string | undefined, random: Uint8Array): string {
  const hex = Buffer.from(random.subarray(0, 24)).toString('hex');
  const { traceId, sampled } = parseTraceparent(given) ?? { traceId: hex.slice(0, 32), sampled: true };
  return traceparentOf({ traceId, spanId: hex.slice(32), sampled });
}
