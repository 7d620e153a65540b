/** Offers one batch to a receiver, waits until it is on its way, and has nothing more to do. Argument: the URL. */
import { createExportTransport } from '../../lib/host/export-transport.ts';
import { createHost } from '../../lib/host/host.ts';
import { createOtlpDestination } from '../../lib/telemetry/export/otlp-destination.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [url = ''] = process.argv.slice(2);
const { clock, timers, random } = createHost(() => '/');
const destination = createOtlpDestination({
  name: url, endpoints: { traces: { url, headers: {}, gzip: true, timeoutMs: 60_000 } }, temporality: 'cumulative', transport: createExportTransport(), clock, timers, random, userAgent: 'loki-enterprise/0 OTel-OTLP-Exporter-Loki/0', countDrops: () => undefined,
});
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'test' } }] };
const span = { traceId: '1'.repeat(32), spanId: '1'.repeat(16), name: 'a', kind: 1, startTimeUnixNano: '1771165800000000000', endTimeUnixNano: '1771165800001000000' };
destination.offer({ signal: 'traces', items: 1, body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans: [span] }] }] }) });
await destination.flush(300);
