/**
 * `loki-enterprise/telemetry`: spans, metrics and log records over OTLP/HTTP JSON, with nothing to install. Where no receiver is named, nothing is made
 * and nothing is run. Nothing here throws or rejects: a program is never worse off for telling what it does. The build joins what it imports into one file.
 */
export { createTelemetry } from '../app/telemetry/create-telemetry.ts';
export { parseTraceparent, traceparentOf } from '../base/trace-context.ts';
export type { Attributes, AttributeValue, EventLogger, LogEvent, Severity, Span, SpanContext, SpanKind, SpanLink, SpanOptions, Tracer } from '../base/trace.ts';
export type { BoundCounter, BoundGauge, BoundHistogram, Counter, Gauge, Histogram, HistogramOptions, InstrumentOptions, Look, Meter, Observe } from '../telemetry/meter.ts';
export type { Telemetry, TelemetryOptions } from '../app/telemetry/library-options.ts';
export type { Problem } from '../errors.ts';
