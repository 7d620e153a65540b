/** What a program that embeds this library says of its telemetry, and what it gets. Types only, and loaded by nobody. */
import type { Problem } from '../../errors.ts';
import type { Attributes, EventLogger, Tracer } from '../../base/trace.ts';
import type { Meter } from '../../telemetry/meter.ts';

/** Each counts above the variable of OpenTelemetry that it stands for; the environment's variables count where it is left out. */
export interface TelemetryOptions {
  /** Where to send: the receiver's base URL (`http://127.0.0.1:4318`), to which `/v1/traces` and so on are added, or a folder as `file:///…`. OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint?: string;
  /** Sent with every request, and nowhere else. OTEL_EXPORTER_OTLP_HEADERS. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the program that tells. OTEL_SERVICE_NAME. */
  readonly serviceName?: string;
  /** More about who tells: `service.version`, `deployment.environment.name`. OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource?: Readonly<Record<string, string>>;
  /** Which part of the program tells, as receivers show it (instrumentation scope); the service's name when left out. */
  readonly scope?: { readonly name: string; readonly version?: string; readonly attributes?: Attributes };
  /** OTEL_TRACES_SAMPLER. */
  readonly sampler?: 'always_on' | 'always_off' | 'traceidratio' | 'parentbased_always_on' | 'parentbased_always_off' | 'parentbased_traceidratio';
  /** From 0 to 1: how many traces the samplers by ratio keep. OTEL_TRACES_SAMPLER_ARG. */
  readonly samplerRatio?: number;
  /** How metrics are counted. OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE. */
  readonly temporality?: 'cumulative' | 'delta' | 'lowmemory';
  /** Milliseconds between two readings of the metrics. OTEL_METRIC_EXPORT_INTERVAL. */
  readonly metricIntervalMs?: number;
  /** OTEL_EXPORTER_OTLP_COMPRESSION. */
  readonly compression?: 'gzip' | 'none';
  /** Of one request. OTEL_EXPORTER_OTLP_TIMEOUT. */
  readonly timeoutMs?: number;
  /** In place of the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Telemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
  readonly logger: EventLogger;
  /** Whether anything is made. */
  readonly isOn: boolean;
  /** What of the options and variables could not be used, in words and without secrets; its default stands. */
  readonly problems: readonly Problem[];
  /** Items that were not delivered and never will be, by signal and reason (`traces queue_full`). */
  dropped(): Readonly<Record<string, number>>;
  /** Sends what there is. True when all of it was delivered within the time, 10 seconds when left out. */
  flush(timeoutMs?: number): Promise<boolean>;
  /** As `flush`, and ends it: nothing is kept afterwards. */
  shutdown(timeoutMs?: number): Promise<void>;
}
