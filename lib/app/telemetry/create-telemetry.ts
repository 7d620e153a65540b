/** Whether a program that embeds this library has telemetry: what makes it is run only where its options or the environment name a receiver. */
import type { Problem } from '../../errors.ts';
import { noLogger, noTracer } from '../../base/trace.ts';
import { environment } from '../../host/environment.ts';
import { noMeter } from '../../telemetry/no-meter.ts';
import { openLibraryTelemetry } from './library.ts';
import type { Telemetry, TelemetryOptions } from './library-options.ts';

/** One of these names a receiver. */
const endpointVariables = ['', 'TRACES_', 'METRICS_', 'LOGS_'].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`);

/** What makes nothing. */
function off(problems: readonly Problem[]): Telemetry {
  return { tracer: noTracer, meter: noMeter, logger: noLogger, isOn: false, problems, dropped: () => ({}), flush: () => Promise.resolve(true), shutdown: () => Promise.resolve() };
}

/**
 * Telemetry of the program that calls it, ready when this returns. Spans, records and metrics wait in memory, within bounds, until a batch is sent.
 * Never throws: what cannot be used of the options and the environment is among `problems`.
 */
export function createTelemetry(options: TelemetryOptions = {}): Telemetry {
  try {
    const env = options.env ?? environment();
    if (options.endpoint === undefined && endpointVariables.every((name) => (env[name] ?? '') === '')) return off([]);
    const opened = openLibraryTelemetry(options, env);
    return 'isOn' in opened ? opened : off(opened.problems);
  } catch (error) {
    return off([{ message: `telemetry is off: ${error instanceof Error ? error.message : 'its options cannot be read'}` }]);
  }
}
