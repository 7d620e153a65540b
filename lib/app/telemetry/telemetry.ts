/**
 * Telemetry as the rest of the program meets it: a tracer and a logger, which make nothing where nobody asked for telemetry. What makes
 * something is loaded only then: not configured means not imported, no timer, no socket, no file. Never throws, and delays nobody.
 */
import { noLogger, noTracer, type EventLogger, type Tracer } from '../../base/trace.ts';
import type { Config } from '../../config/config.ts';
import type { MetricStores } from '../../telemetry/series.ts';
import type { Installation } from '../installation.ts';

/** What kind of process it is. Short-lived ones (`hook`, `command`) hand over on disk and never wait for a network. */
export type ProcessKind = 'control plane' | 'session' | 'worker' | 'hook' | 'command';

/** Metrics of a process, and what is to be looked at before they are read. */
export interface Measured {
  look(): void | Promise<void>;
  stores: MetricStores['stores'];
}

/** Telemetry of this process. */
export interface ProcessTelemetry {
  readonly tracer: Tracer;
  readonly logger: EventLogger;
  readonly isOn: boolean;
  /** Sends these metrics as well from now on, but for what is counted of the log of record. Only where a process lives long enough. */
  measure?(metrics: Measured): void;
  /** Hands over or sends what is there, within a bounded time. Resolves in any case. */
  end(): Promise<void>;
}

/** That of a process of which nothing is told. */
export const silent: ProcessTelemetry = { tracer: noTracer, logger: noLogger, isOn: false, end: () => Promise.resolve() };

/** Variables of OpenTelemetry that name a receiver of one signal; the general one is a setting of ours. */
const endpointVariables = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'] as const;

/** Whether somebody asked for telemetry, as far as can be seen without loading what knows all the rules (`settings.ts`). */
export function isTelemetryOn({ telemetry }: Pick<Config, 'telemetry'>, env: Installation['surroundings']['env'] = {}): boolean {
  return telemetry.endpoint !== undefined || telemetry.destinations.length > 0 || endpointVariables.some((name) => (env[name] ?? '') !== '');
}

/** Opens telemetry for this process; `silent` where nobody asked for it, or where it cannot be opened. */
export async function openTelemetry(installation: Installation, kind: ProcessKind): Promise<ProcessTelemetry> {
  if (!isTelemetryOn(installation.config, installation.surroundings.env)) return silent;
  try {
    return await (kind === 'hook' || kind === 'command' ? openShort(installation) : openLong(installation, kind));
  } catch {
    // Whoever does the work goes on without it; `loki doctor telemetry` says what is wrong.
    return silent;
  }
}

async function openShort(installation: Installation): Promise<ProcessTelemetry> {
  const settings = await (await import('./making-settings.ts')).makingSettings(installation);
  return settings === undefined ? silent : (await import('./short-lived.ts')).openShortLived(installation, settings);
}

async function openLong(installation: Installation, kind: ProcessKind): Promise<ProcessTelemetry> {
  const settings = (await import('./settings.ts')).resolveTelemetry(installation);
  return settings.isOn ? (await import('./long-lived.ts')).openLongLived(installation, settings, kind) : silent;
}
