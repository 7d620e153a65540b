/** For a request that a command makes: which trace it belongs to. With telemetry off, what it was handed down is handed on. */
import { contextIn, isPropagated, traceparentOf } from '../../base/trace-context.ts';
import { isValidContext, type SpanContext } from '../../base/trace.ts';
import type { Installation } from '../installation.ts';
import { isTelemetryOn } from './telemetry.ts';

export async function traceHeaders(installation: Installation): Promise<Readonly<Record<string, string>>> {
  const { config, surroundings: { env } } = installation;
  if (!isPropagated(env)) return {};
  const context = isTelemetryOn(config, env) ? await ofCommand(installation) : contextIn(env);
  if (context === undefined || !isValidContext(context)) return {};
  return { traceparent: traceparentOf(context), ...(context.traceState === undefined ? {} : { tracestate: context.traceState }) };
}

async function ofCommand(installation: Installation): Promise<SpanContext> {
  return (await import('./command.ts')).contextOfCommand(installation);
}
