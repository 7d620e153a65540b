/**
 * `loki-enterprise/telemetry`: spans, metrics and log records over OTLP/HTTP JSON, with nothing to install. Where no receiver is named, nothing is made
 * and nothing further is loaded. Nothing here throws or rejects: a program is never worse off for telling what it does.
 */
import type { Problem } from '../errors.ts';
import { noLogger, noTracer } from '../base/trace.ts';
import type { Telemetry, TelemetryOptions } from '../app/telemetry/library-options.ts';
import { noMeter } from '../telemetry/no-meter.ts';

/** One of these names a receiver. */
const endpointVariables = ['', 'TRACES_', 'METRICS_', 'LOGS_'].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`);

/** What makes nothing. */
function off(problems: readonly Problem[]): Telemetry {
  return { tracer: noTracer, meter: noMeter, logger: noLogger, isOn: false, problems, dropped: () => ({}), flush: () => Promise.resolve(true), shutdown: () => Promise.resolve() };
}

/** Telemetry of the program that calls it. Spans, records and metrics wait in memory, within bounds, until a batch is sent. */
export async function createTelemetry(options: TelemetryOptions = {}): Promise<Telemetry> {
  try {
    const env = options.env ?? (await import('../host/environment.ts')).environment();
    if (options.endpoint === undefined && endpointVariables.every((name) => (env[name] ?? '') === '')) return off([]);
    const { openLibraryTelemetry } = await import('../app/telemetry/library.ts');
    const opened = openLibraryTelemetry(options, env);
    return 'isOn' in opened ? opened : off(opened.problems);
  } catch (error) {
    return off([{ message: `telemetry is off: ${error instanceof Error ? error.message : 'its options cannot be read'}` }]);
  }
}

export type { Attributes, AttributeValue, EventLogger, LogEvent, Severity, Span, SpanContext, SpanKind, SpanLink, SpanOptions, Tracer } from '../base/trace.ts';
export type { BoundCounter, BoundGauge, BoundHistogram, Counter, Gauge, Histogram, HistogramOptions, InstrumentOptions, Look, Meter, Observe } from '../telemetry/meter.ts';
export { parseTraceparent, traceparentOf } from '../base/trace-context.ts';
export type { Telemetry, TelemetryOptions } from '../app/telemetry/library-options.ts';
export type { Problem } from '../errors.ts';
