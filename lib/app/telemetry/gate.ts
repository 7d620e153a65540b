/** Telemetry of a gate that is opened by itself: by `loki hook generic`, and by a program that uses the library. Off, it loads nothing. */
import type { SpanContext, Tracer } from '../../base/trace.ts';
import type { GateOptions } from '../gate.ts';
import type { Installation } from '../installation.ts';
import { isTelemetryOn, openTelemetry } from './telemetry.ts';

export interface GateTelemetry {
  /** What the gate is opened with. */
  readonly options: Pick<GateOptions, 'trace' | 'telling'>;
  /** Hands over what there is, once the gate is closed. */
  end(): Promise<void>;
}

/** The caller's own, in place of what is configured. */
export interface CallerTrace {
  readonly tracer: Tracer;
  /** The span that the caller is in. */
  readonly parent?: () => SpanContext | undefined;
}

const none: GateTelemetry = { options: {}, end: () => Promise.resolve() };

export async function openGateTelemetry(installation: Installation, agent: string, caller?: CallerTrace): Promise<GateTelemetry> {
  if (caller !== undefined) return { ...none, options: { trace: await traceOf(installation, agent, caller) } };
  if (!isTelemetryOn(installation.config, installation.surroundings.env)) return none;
  const telemetry = await openTelemetry(installation, 'hook');
  if (!telemetry.isOn) return none;
  return { options: { trace: await traceOf(installation, agent, telemetry), telling: { logger: telemetry.logger } }, end: () => telemetry.end() };
}

async function traceOf(installation: Installation, agent: string, { tracer, parent }: CallerTrace): Promise<NonNullable<GateOptions['trace']>> {
  const { openActionTrace } = await import('./action-trace.ts');
  return openActionTrace(installation, { tracer, agent, ...(parent === undefined ? {} : { parent }) });
}
