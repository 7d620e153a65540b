/**
 * OTLP as protobuf itself reads it, by the schema of OpenTelemetry JS 0.214: the last release that holds it whole. A payload is read, written
 * as protobuf, read back and compared, so that a name that protobuf does not know is not lost without a word.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
const { opentelemetry: { proto: { collector } } } = load('otlp-schema/build/src/generated/root.js');

const requests = {
  traces: collector.trace.v1.ExportTraceServiceRequest,
  metrics: collector.metrics.v1.ExportMetricsServiceRequest,
  logs: collector.logs.v1.ExportLogsServiceRequest,
};

/** The one way in which OTLP's JSON is not protobuf's: ids are hexadecimal, other bytes base64. */
const ids = new Set(['traceId', 'spanId', 'parentSpanId']);

/** What protobuf finds wrong with a payload; none when nothing is lost on the way there and back. */
export function protobufMistakes(signal, text) {
  const given = JSON.parse(text, (name, value) => (ids.has(name) && typeof value === 'string' ? Buffer.from(value, 'hex').toString('base64') : value));
  const type = requests[signal];
  const message = type.fromObject(given);
  const said = type.verify(message);
  const back = type.toObject(type.decode(type.encode(message).finish()), { longs: String, enums: Number, bytes: String, json: true });
  return [...(said === null ? [] : [said]), ...differences(given, back, '')];
}

function differences(given, back, at) {
  if (Object.is(given, back)) return [];
  if (Array.isArray(given) && given.length === 0 && back === undefined) return [];
  if (typeof given !== 'object' || typeof back !== 'object' || given === null || back === null) return [`${at}: ${JSON.stringify(given)} came back as ${JSON.stringify(back)}`];
  return [...new Set([...Object.keys(given), ...Object.keys(back)])].flatMap((name) => differences(given[name], back[name], `${at}/${name}`));
}
