/** Spans as this program makes, encodes and sends them; the same functions as theirs.mjs. */
import { createExportTransport } from '../../../dist/lib/host/export-transport.js';
import { encodeSpans } from '../../../dist/lib/formats/otlp/spans.js';
import { clock, random, timers } from '../../../dist/lib/host/time.js';
import { createOtlpDestination } from '../../../dist/lib/telemetry/export/otlp-destination.js';
import { userAgentOf } from '../../../dist/lib/telemetry/export/options.js';
import { startPipeline } from '../../../dist/lib/telemetry/pipeline.js';
import { createRecorder } from '../../../dist/lib/telemetry/recorder.js';

const resource = { attributes: { 'service.name': 'speed' } };
const scope = { name: 'speed', version: '1.0.0' };
const limits = { maxQueue: 1024, maxBatch: 512, delayMs: 60_000 };

/** One span with three attributes, begun and ended. */
const makeWith = (tracer) => (number) => {
  const span = tracer.startSpan('execute_tool Bash');
  span.setAttribute('gen_ai.tool.name', 'Bash').setAttribute('loki.policy.decision', 'allow').setAttribute('loki.audit.seq', number);
  span.end();
};

/** Spans that nobody keeps. */
export function makeAndDrop() {
  const recorder = createRecorder({ clock, random, spans: { ...limits, maxQueue: 1 } });
  recorder.hear({ begun: () => undefined, full: () => { recorder.spans.take(); }, dropped: () => undefined });
  return makeWith(recorder.tracer(scope));
}

/** So many spans as they wait for being encoded; what encodes them answers with octets. */
export function encoders(count) {
  const recorder = createRecorder({ clock, random, spans: { ...limits, maxQueue: count, maxBatch: count } });
  const make = makeWith(recorder.tracer(scope));
  for (let number = 0; number < count; number += 1) make(number);
  const spans = recorder.spans.take();
  return { json: () => encodeSpans(resource, spans).messages.map(({ body }) => Buffer.from(body)) };
}

/** Makes so many spans and sends them to a receiver, 512 in a request, packed. */
export async function send(url, count) {
  const recorder = createRecorder({ clock, random, spans: limits });
  let dropped = 0;
  const destination = createOtlpDestination({
    name: url, endpoints: { traces: { url: `${url}/v1/traces`, headers: {}, gzip: true, timeoutMs: 10_000 } }, temporality: 'cumulative', transport: createExportTransport(), clock, timers, random,
    userAgent: userAgentOf('1.0.0'), countDrops: (_signal, _reason, items) => { dropped += items; },
  });
  const pipeline = startPipeline({ recorder, resource, destinations: [destination], clock, timers, random, countDrops: (_signal, _reason, items) => { dropped += items; } });
  const make = makeWith(recorder.tracer(scope));
  for (let number = 0; number < count;) {
    for (const end = Math.min(count, number + 512); number < end; number += 1) make(number);
    await pipeline.flush(10_000);
  }
  await pipeline.shutdown(10_000);
  if (dropped > 0) throw new Error(`${dropped} spans were dropped`);
}
