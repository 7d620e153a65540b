/**
 * W3C Trace Context level 1 (https://www.w3.org/TR/trace-context/): the header `traceparent` (section 3.2), and the same text in the environment
 * variable TRACEPARENT, which hands a trace down to child processes. A text that cannot be read is no context, and begins a new trace.
 */
import { isValidContext, type SpanContext } from './trace.ts';

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

/** What a `tracestate` may hold at most (section 3.3.1.1); one that says more, or says it wrongly, is left out as a whole. */
const mostMembers = 32;
const member = /^[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The header `tracestate` as it is handed on; undefined where it is empty or not valid. */
export function parseTracestate(text: string | undefined): string | undefined {
  if (text === undefined || text.length > longest) return undefined;
  const members = text.split(',').map((each) => each.trim()).filter((each) => each !== '');
  const keys = new Set(members.map((each) => each.slice(0, each.indexOf('='))));
  if (members.length === 0 || members.length > mostMembers || keys.size !== members.length) return undefined;
  return members.every((each) => member.test(each)) ? members.join(',') : undefined;
}

/** Both headers together: what cannot be read as a parent takes its state along (section 3.3). */
export function parseContext(traceparent: string | undefined, tracestate: string | undefined): SpanContext | undefined {
  const context = parseTraceparent(traceparent);
  const traceState = context === undefined ? undefined : parseTracestate(tracestate);
  return context === undefined || traceState === undefined ? context : { ...context, traceState };
}

/** Those of the environment that hand a context down to a child process; none for a span that there is not. */
export function traceVariables(context: SpanContext): Readonly<Record<string, string>> {
  if (!isValidContext(context)) return {};
  return { TRACEPARENT: traceparentOf(context), ...(context.traceState === undefined ? {} : { TRACESTATE: context.traceState }) };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Ways to hand contexts on that OTEL_PROPAGATORS may name in place of this one (specification: configuration/sdk-environment-variables.md). */
const otherWays: ReadonlySet<string> = new Set(['baggage', 'none']);

/** Whether contexts are taken from others and handed on to them. What cannot be used of the variable is told where all are read, and counts for nothing. */
export function isPropagated(env: Environment): boolean {
  const ways = (env['OTEL_PROPAGATORS'] ?? '').toLowerCase().split(',').map((way) => way.trim()).filter((way) => way !== '');
  return ways.length === 0 || !ways.every((way) => otherWays.has(way));
}

/** The context that was handed down in an environment. */
export function contextIn(env: Environment): SpanContext | undefined {
  if (!isPropagated(env)) return undefined;
  return parseContext(env['TRACEPARENT'], env['TRACESTATE']);
}
