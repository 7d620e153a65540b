/** Which span asked for a run, as it is kept in the store. Apart from the spans themselves: whoever reads a session, such as an agent's hook, makes none. */
import { isValidContext, type SpanContext } from '../base/trace.ts';
import { parseContext, traceparentOf } from '../base/trace-context.ts';
import type { StoredObject } from './progress.ts';

/** Among the members of something else. */
export type KeptContext = { readonly traceparent?: string; readonly tracestate?: string };

export function keptContext(context: SpanContext | undefined): KeptContext {
  if (context === undefined || !isValidContext(context)) return {};
  return { traceparent: traceparentOf(context), ...(context.traceState === undefined ? {} : { tracestate: context.traceState }) };
}

export function readContext(from: StoredObject): SpanContext | undefined {
  return parseContext(from.textIfAny('traceparent'), from.textIfAny('tracestate'));
}
