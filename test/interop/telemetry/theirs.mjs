/** Spans as OpenTelemetry JS makes, encodes and sends them; the same functions as ours.mjs. */
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';

const resource = resourceFromAttributes({ 'service.name': 'speed' });
const nothing = async () => undefined;

const makeWith = (tracer) => (number) => {
  const span = tracer.startSpan('execute_tool Bash');
  span.setAttribute('gen_ai.tool.name', 'Bash').setAttribute('loki.policy.decision', 'allow').setAttribute('loki.audit.seq', number);
  span.end();
};

function tracerWith(processor) {
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  return { provider, tracer: provider.getTracer('speed', '1.0.0') };
}

export function makeAndDrop() {
  return makeWith(tracerWith({ onStart: () => undefined, onEnd: () => undefined, forceFlush: nothing, shutdown: nothing }).tracer);
}

export function encoders(count) {
  const spans = [];
  const make = makeWith(tracerWith({ onStart: () => undefined, onEnd: (span) => { spans.push(span); }, forceFlush: nothing, shutdown: nothing }).tracer);
  for (let number = 0; number < count; number += 1) make(number);
  return { json: () => JsonTraceSerializer.serializeRequest(spans), protobuf: () => ProtobufTraceSerializer.serializeRequest(spans) };
}

export async function send(url, count) {
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, compression: 'gzip', timeoutMillis: 10_000 });
  const { provider, tracer } = tracerWith(new BatchSpanProcessor(exporter, { maxQueueSize: 1024, maxExportBatchSize: 512, scheduledDelayMillis: 60_000 }));
  const make = makeWith(tracer);
  for (let number = 0; number < count;) {
    for (const end = Math.min(count, number + 512); number < end; number += 1) make(number);
    await provider.forceFlush();
  }
  await provider.shutdown();
}
