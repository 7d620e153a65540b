/**
 * Tries every receiver with one span, one data point and one log record, made and sent as all others are, and says in words what came back. Believes
 * nothing a receiver says; sends nothing that was recorded.
 */
import { messageOf } from '../../errors.ts';
import type { KeptAttributes, Resource } from '../../base/telemetry-data.ts';
import type { ExportAnswer, ExportTransport } from '../../base/telemetry-ports.ts';
import { encodeLogs } from '../../formats/otlp/logs.ts';
import { encodeMetrics } from '../../formats/otlp/metrics.ts';
import { encodeSpans } from '../../formats/otlp/spans.ts';
import { createExportTransport } from '../../host/export-transport.ts';
import { atDeadline } from '../../host/time.ts';
import { signals, type Signal } from '../../telemetry/batch.ts';
import { userAgentOf, type OtlpEndpoint } from '../../telemetry/export/options.ts';
import { judge, secretsOf } from '../../telemetry/export/verdict.ts';
import { probeNames } from '../../telemetry/names.ts';
import type { HttpDestinationSettings, TelemetrySettings } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { version } from '../version.ts';
import { endpointOf } from './open-destinations.ts';
import { resourceOf, scope } from './parts.ts';
import { repairFor, type Tried } from './probe-words.ts';
import { refusedReceiver } from './refused-receiver.ts';

/** What came of one signal at one receiver. */
export interface ProbeReport {
  readonly destination: string;
  readonly signal: Signal;
  readonly status: 'taken' | 'warned' | 'failed';
  /** What it answered. */
  readonly said: string;
  readonly repair?: string;
  /** How far its clock is ahead of ours, in milliseconds, where it says what time it is. */
  readonly aheadMs?: number;
}

/** A person waits. */
const longestWaitMs = 10_000;
/** What a request has beyond its own bound, before nobody waits for it any more. */
const graceMs = 2_000;

/** Tries all of them at once. Never rejects. The transport keeps no process alive, and here is none but the one that waits for it. */
export async function probeReceivers(installation: Installation, settings: TelemetrySettings, transport: ExportTransport = createExportTransport(refusedReceiver(installation))): Promise<readonly ProbeReport[]> {
  const cancel = atDeadline(longestWaitMs + graceMs, () => transport.close());
  try {
    const reports = await Promise.all(settings.destinations.map((each) => (each.kind === 'file' ? [] : probeOne(installation, settings, each, transport))));
    return reports.flat();
  } finally {
    cancel();
    transport.close();
  }
}

function probeOne(installation: Installation, settings: TelemetrySettings, destination: HttpDestinationSettings, transport: ExportTransport): Promise<readonly ProbeReport[]> {
  const { host } = installation;
  return Promise.all(signals.flatMap((signal) => {
    const route = destination.routes[signal];
    if (route === undefined) return [];
    const failed = (error: unknown): ProbeReport => ({ destination: destination.name, signal, status: 'failed', said: messageOf(error), repair: 'Correct the setting, then try again' });
    try {
      return [probeSignal(installation, destination, signal, endpointOf(host, route), probeBody(installation, resourceOf(settings), signal), transport).catch(failed)];
    } catch (error) {
      return [Promise.resolve(failed(error))];
    }
  }));
}

async function probeSignal({ host: { clock } }: Installation, destination: HttpDestinationSettings, signal: Signal, endpoint: OtlpEndpoint, body: string, transport: ExportTransport): Promise<ProbeReport> {
  const { url, gzip, headers, timeoutMs, tls } = endpoint;
  const secrets = secretsOf(endpoint);
  const from = clock.monotonic();
  const answer = await transport.post({
    url, headers: { ...headers, 'user-agent': userAgentOf(version) }, body: [body], gzip, timeoutMs: timeoutMs === 0 ? longestWaitMs : Math.min(timeoutMs, longestWaitMs), ...(tls === undefined ? {} : { tls }),
  });
  const tookMs = Math.round(clock.monotonic() - from);
  const verdict = judge(answer, signal, 1, secrets, clock.now());
  const warning = verdict.kind === 'taken' ? verdict.warning : undefined;
  // A receiver that is one says so in JSON: what a login page took is lost, whatever its status.
  const isLost = verdict.kind !== 'taken' || verdict.rejected > 0 || /web page/.test(warning ?? '');
  const status = isLost ? 'failed' : warning === undefined ? 'taken' : 'warned';
  const aheadMs = aheadOf(answer, clock.now() - tookMs / 2);
  const tried: Tried = { signal, url, temporality: destination.temporality, answer, words: warning ?? verdict.words };
  const repair = status === 'taken' ? undefined : repairFor(tried);
  const told = warning === undefined ? verdict.words : warning.startsWith(verdict.words) ? warning : `${verdict.words}; ${warning}`;
  const said = `${told}${answer.kind === 'unreachable' ? '' : ` (after ${tookMs} ms)`}`;
  return { destination: destination.name, signal, status, said, ...(repair === undefined ? {} : { repair }), ...(aheadMs === undefined ? {} : { aheadMs }) };
}

/** By the header Date (RFC 9110 section 6.6.1), which knows whole seconds only. */
function aheadOf(answer: ExportAnswer, now: number): number | undefined {
  const text = answer.kind === 'answered' ? answer.headers.get('date') : undefined;
  const told = text === undefined || text.length > 40 ? NaN : Date.parse(text);
  if (!Number.isFinite(told)) return undefined;
  const ahead = told - now;
  return ahead > 0 ? ahead : Math.min(0, ahead + 1000);
}

const noAttributes: KeptAttributes = { entries: [], dropped: 0 };

/** One message of the signal. */
function probeBody({ host: { clock, random } }: Installation, resource: Resource, signal: Signal): string {
  const time = clock.now();
  const hex = Buffer.from(random.bytes(24)).toString('hex');
  const context = { traceId: hex.slice(0, 32), spanId: hex.slice(32), sampled: true };
  const common = { scope, attributes: noAttributes, size: 0 };
  const encoded = {
    traces: () => encodeSpans(resource, [{ ...common, context, parent: undefined, name: probeNames.span, kind: 'internal', startTime: time - 1, endTime: time, events: [], droppedEvents: 0, links: [], droppedLinks: 0, outcome: 'ok', message: undefined }]),
    metrics: () => encodeMetrics(resource, [{ scope, name: probeNames.metric, description: 'Sent by loki doctor telemetry', unit: '', kind: 'gauge', points: [{ attributes: noAttributes, startTime: time, time, value: 1 }] }]),
    logs: () => encodeLogs(resource, [{ ...common, name: probeNames.event, time, observedTime: time, severityNumber: 9, severityText: 'INFO', body: 'Test of Loki Enterprise: telemetry reaches this place', context: undefined }]),
  }[signal]();
  return encoded.messages[0]?.body ?? '';
}
