/**
 * From what was said to what counts: the variables of the environment, and what stands above and below them, become the settings of
 * telemetry. Never throws: a value that cannot be used is a problem in words, and its default stands. Touches nothing.
 */
import { signals, type Signal } from './batch.ts';
import { destinationsOf, type FurtherDestination, type RefusedHost } from './destinations.ts';
import { samplerNamed } from './sampler.ts';
import type { BatchSettings, LimitSettings, SamplerSettings, TelemetrySettings } from './settings.ts';
import type { ExporterName } from './variables.ts';
import { Listener, type Found, type Voices } from './voices.ts';

/** What settings are made of. */
export interface SettingsSources extends Voices {
  /** What holds where nobody says anything. */
  readonly usual: {
    readonly serviceName: string;
    /** Attributes of the resource that the environment may replace. */
    readonly resource: Readonly<Record<string, string>>;
  };
  /** Attributes of the resource that count above the environment's. */
  readonly resource?: Readonly<Record<string, string>>;
  readonly further?: readonly FurtherDestination[];
  /** Why nothing may be sent to a host. */
  readonly refused?: RefusedHost;
}

/** The settings that count. */
export function resolveSettings(sources: SettingsSources): TelemetrySettings {
  const listener = new Listener(sources);
  const exporters = signals.map((signal) => exporterOf(listener, signal));
  const wanted = exporters.filter(({ otlp }) => otlp !== 'no').map(({ signal }) => signal);
  const destinations = destinationsOf(listener, wanted, sources.further ?? [], sources.refused ?? (() => undefined));
  noteProtocol(listener, wanted);
  noteUnused(listener);
  if (destinations.length === 0) noteAskedInVain(listener, exporters);
  const rest = {
    resource: resourceOf(listener, sources), sampler: samplerOf(listener), propagators: propagatorsOf(listener), limits: limitsOf(listener),
    spans: batchOf(listener, 'span'), logs: batchOf(listener, 'log'),
    metrics: { intervalMs: listener.read('metricInterval').value, exportTimeoutMs: listener.read('metricTimeout').value, histograms: listener.read('histograms').value },
  };
  const offBecause = whyOff(listener, wanted, destinations.length);
  return { isOn: offBecause === undefined, offBecause, destinations, ...rest, problems: listener.problems, effective: listener.effective };
}

/** Why telemetry is off where nothing names a receiver. */
export const nobodyAsked = 'no receiver is configured';

function whyOff(listener: Listener, wanted: readonly Signal[], receivers: number): string | undefined {
  const { value: disabled, from } = listener.read('disabled');
  if (disabled) return `${from} is true`;
  if (receivers > 0) return undefined;
  return wanted.length > 0 ? nobodyAsked : `${signals.map((signal) => listener.read(exporterKeys[signal]).from).join(', ')} ask for no signal to be sent`;
}

interface Exporter {
  readonly signal: Signal;
  /** `asked for`: named in words, not by default. */
  readonly otlp: 'no' | 'by default' | 'asked for';
  readonly from: string;
}

const exporterKeys = { traces: 'tracesExporter', metrics: 'metricsExporter', logs: 'logsExporter' } as const;

function exporterOf(listener: Listener, signal: Signal): Exporter {
  const { value, from }: Found<readonly (ExporterName | 'prometheus')[] | undefined> = listener.read(exporterKeys[signal]);
  if (value === undefined) return { signal, otlp: 'by default', from };
  const printed = value.find((name) => name === 'console' || name === 'otlp/stdout');
  if (printed !== undefined) listener.note(`${from} asks for ${printed}, and ${signal} are not written to standard output`, 'For a look at them use OTEL_EXPORTER_OTLP_ENDPOINT=file:///FOLDER');
  if (value.includes('prometheus')) listener.note(`${from} asks for prometheus, which is /metrics of the control plane: nothing else listens`);
  if (value.includes('none') && value.length > 1) listener.note(`${from} names none beside others; the others count`);
  return { signal, otlp: value.includes('otlp') ? 'asked for' : 'no', from };
}

function noteAskedInVain(listener: Listener, exporters: readonly Exporter[]): void {
  const asked = exporters.find(({ otlp }) => otlp === 'asked for');
  if (asked !== undefined) listener.note(`${asked.from} asks for otlp, and no endpoint is configured: nothing is sent`, 'Set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318, or enterprise.telemetry.endpoint');
}

function noteProtocol(listener: Listener, wanted: readonly Signal[]): void {
  for (const signal of wanted) {
    const { value, from } = listener.read('protocol', signal);
    if (value === 'http/protobuf') listener.note(`${from} is http/protobuf; http/json is sent instead, which receivers of OTLP over HTTP take at the same address`);
    if (value === 'grpc') listener.note(`${from} is grpc, which is not spoken; http/json is sent instead`, 'Name the receiver\'s port for OTLP over HTTP, usually 4318, in the endpoint');
  }
}

function noteUnused(listener: Listener): void {
  const file = listener.read('configFile');
  if (file.value !== undefined) listener.note(`${file.from} names a file; it is not read, and the other OTEL_ variables count`, 'Set variables, or enterprise.telemetry in LOKI_HOME/config.yaml');
  const { value: propagators, voice, from } = listener.read('propagators');
  if (voice !== undefined && propagators.includes('baggage')) listener.note(`${from} names baggage, which is neither taken nor handed on`);
  for (const key of ['prometheusHost', 'prometheusPort'] as const) {
    const { value, from } = listener.read(key);
    if (value !== undefined) listener.note(`${from} is not used: metrics are at /metrics of the control plane`, 'LOKI_HOST and LOKI_PORT say where it listens');
  }
  for (const key of ['spanTimeout', 'logTimeout'] as const) {
    const { value, from } = listener.read(key);
    if (value !== undefined) listener.note(`${from} is not used: each request has its own time`, 'Set OTEL_EXPORTER_OTLP_TIMEOUT');
  }
}

/** The name of the service in its own variable is stronger than the same among the attributes (specification: resource/sdk.md). */
function resourceOf(listener: Listener, { usual, resource = {} }: SettingsSources): Readonly<Record<string, string>> {
  const attributes = listener.read('resource').value;
  const name = listener.read('serviceName');
  const isNamed = name.voice === 'over' || name.voice === 'environment' || attributes['service.name'] === undefined;
  return { ...usual.resource, ...attributes, ...(isNamed ? { 'service.name': name.value ?? usual.serviceName } : {}), ...resource };
}

function samplerOf(listener: Listener): SamplerSettings {
  const { value: name } = listener.read('sampler');
  const { value: share, from } = listener.read('samplerArg');
  const sampler = samplerNamed(name, share);
  if (share !== undefined && sampler.kind !== 'traceidratio') {
    listener.note(`${from} is ${share} and has no effect: the sampler ${name} keeps ${sampler.kind === 'always_on' ? 'all' : 'none'}`, 'Set OTEL_TRACES_SAMPLER=parentbased_traceidratio as well');
  }
  return sampler;
}

function propagatorsOf(listener: Listener): TelemetrySettings['propagators'] {
  const { value } = listener.read('propagators');
  return { traceContext: value.includes('tracecontext'), baggage: value.includes('baggage') };
}

function limitsOf(listener: Listener): LimitSettings {
  const count = listener.read('attributeCount').value;
  const valueLength = listener.read('valueLength').value;
  return {
    span: { count: listener.read('spanAttributes').value ?? count, valueLength: listener.read('spanValueLength').value ?? valueLength },
    logRecord: { count: listener.read('recordAttributes').value ?? count, valueLength: listener.read('recordValueLength').value ?? valueLength },
    eventCount: listener.read('spanEvents').value, linkCount: listener.read('spanLinks').value,
    attributesPerEvent: listener.read('eventAttributes').value, attributesPerLink: listener.read('linkAttributes').value,
  };
}

function batchOf(listener: Listener, of: 'span' | 'log'): BatchSettings {
  const maxQueue = listener.read(`${of}Queue`);
  const maxBatch = listener.read(`${of}Batch`);
  if (maxBatch.value > maxQueue.value) listener.note(`${maxBatch.voice === undefined ? maxQueue.from : maxBatch.from} makes a batch of ${maxBatch.value} larger than the queue of ${maxQueue.value}; a batch has ${maxQueue.value}`);
  return { delayMs: listener.read(`${of}Delay`).value, maxQueue: maxQueue.value, maxBatch: Math.min(maxBatch.value, maxQueue.value) };
}
