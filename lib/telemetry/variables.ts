/**
 * Every variable of OpenTelemetry's that counts here, one row each: name, what is accepted, default, meaning (specification:
 * configuration/sdk-environment-variables.md, protocol/exporter.md). A row reads a text; what no row reads is not read at all. Nothing here
 * looks at the environment.
 */
import { endpointAccepts, parseEndpoint, type Endpoint } from '../base/otlp-endpoint.ts';
import { headersAccept, parseHeaders } from '../base/otlp-headers.ts';
import { isAbsolute } from '../base/paths.ts';
import type { Secret } from '../base/secret.ts';
import { signals, type Signal } from './batch.ts';
import { readAttributes } from './resource-attributes.ts';

/** A sort of value. */
export interface Sort<T> {
  /** What is accepted, as a noun phrase. */
  readonly accepts: string;
  /** How a trimmed text that is not empty is read; undefined when it is none. */
  read(text: string): T | undefined;
  /** What a refused text is, as a predicate; `is "abc"` when left out. Must not repeat a secret. */
  found?(text: string): string;
  /** How a value is shown to people, without secrets; as JSON when left out. */
  show?(value: T): string;
}

/** One variable, or one and its three for single signals. */
export interface Variable<T> {
  readonly name: string;
  /** Signals that have one of their own, which is stronger. */
  readonly signals?: readonly Signal[];
  readonly sort: Sort<Exclude<T, undefined>>;
  readonly default: T;
  /** The default in words, where the value alone would not say it. */
  readonly defaultWords?: string;
  /** For the manual. */
  readonly meaning: string;
}

const prefix = 'OTEL_EXPORTER_OTLP_';

/** The variable's own name for one signal: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. */
export function nameFor({ name }: Pick<Variable<unknown>, 'name'>, signal: Signal): string {
  return `${prefix}${signal.toUpperCase()}_${name.slice(prefix.length)}`;
}

function integer(least: number, most: number, unit: string): Sort<number> {
  return {
    accepts: `a whole number ${unit}from ${least} to ${most}`,
    read: (text) => (/^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
  };
}

/** In any case (specification: "Enum"). */
function oneOf<W extends string>(...words: readonly W[]): Sort<W> {
  return { accepts: listed(words), read: (text) => words.find((word) => word === text.toLowerCase()) };
}

function someOf<W extends string>(...words: readonly W[]): Sort<readonly W[]> {
  const one = oneOf(...words);
  return {
    accepts: `${listed(words)}; several with commas between`,
    read(text) {
      const given = text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => one.read(part));
      return given.length === 0 || given.includes(undefined) ? undefined : [...new Set(given.filter((each) => each !== undefined))];
    },
  };
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** Only "true", in any case, is true (specification: "Boolean"). */
const flag: Sort<boolean> = { accepts: 'true or false', read: (text) => (/^(?:true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined) };

const ratio: Sort<number> = {
  accepts: 'a number from 0 to 1',
  read(text) {
    const number = /^(?:\d{1,3}(?:\.\d{0,30})?|\.\d{1,30})(?:e-\d{1,3})?$/i.test(text) ? Number(text) : NaN;
    return number >= 0 && number <= 1 ? number : undefined;
  },
};

const line: Sort<string> = { accepts: 'a text of one line', read: (text) => (/[\u0000-\u001f\u007f]/.test(text) ? undefined : text) };

const file: Sort<string> = {
  accepts: 'an absolute path',
  read(text) {
    const path = /^[A-Za-z]:\\/.test(text) ? text.replaceAll('\\', '/') : text;
    return isAbsolute(path) ? line.read(path) : undefined;
  },
};

const endpoint: Sort<Endpoint> = {
  accepts: endpointAccepts,
  read(text) {
    const parsed = parseEndpoint(text);
    return parsed.kind === 'none' ? undefined : parsed;
  },
  found(text) {
    const parsed = parseEndpoint(text);
    return parsed.kind === 'none' ? parsed.found : '';
  },
  show: ({ shown }) => shown,
};

/** Neither refused nor accepted text is repeated. */
const headers: Sort<ReadonlyMap<string, Secret>> = {
  accepts: headersAccept,
  read(text) {
    const parsed = parseHeaders(text);
    return typeof parsed === 'string' ? undefined : parsed;
  },
  found(text) {
    const parsed = parseHeaders(text);
    return typeof parsed === 'string' ? parsed : '';
  },
  show: (given) => [...given.keys()].join(', '),
};

const attributes: Sort<Readonly<Record<string, string>>> = { accepts: 'key=value,key=value with percent escapes (a comma is %2C, an equals sign %3D)', read: readAttributes };

function row<T>(name: string, sort: Sort<Exclude<NoInfer<T>, undefined>>, fallback: NoInfer<T>, meaning: string, more: Pick<Variable<unknown>, 'signals' | 'defaultWords'> = {}): Variable<T> {
  return { name, sort, default: fallback, meaning, ...more };
}

const unset = { defaultWords: 'unset' } as const;
const milliseconds = integer(0, 3_600_000, 'of milliseconds ');
/** Memory must stay bounded whatever is written. */
const items = integer(1, 1_000_000, '');
const attributeCount = integer(0, 10_000, '');
const length = integer(0, 10_000_000, 'of characters ');
const samplers = oneOf('always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio');

/** What each row gives. */
export interface VariableValues {
  readonly disabled: boolean;
  readonly configFile: string | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly headers: ReadonlyMap<string, Secret> | undefined;
  readonly compression: 'gzip' | 'none' | undefined;
  readonly timeout: number;
  readonly protocol: 'http/json' | 'http/protobuf' | 'grpc' | undefined;
  readonly certificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory';
  readonly histograms: 'explicit_bucket_histogram' | 'base2_exponential_bucket_histogram';
  readonly serviceName: string | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  readonly samplerArg: number | undefined;
  readonly propagators: readonly ('tracecontext' | 'baggage' | 'none')[];
  readonly tracesExporter: readonly ExporterName[] | undefined;
  readonly metricsExporter: readonly (ExporterName | 'prometheus')[] | undefined;
  readonly logsExporter: readonly ExporterName[] | undefined;
  readonly spanDelay: number;
  readonly spanTimeout: number | undefined;
  readonly spanQueue: number;
  readonly spanBatch: number;
  readonly logDelay: number;
  readonly logTimeout: number | undefined;
  readonly logQueue: number;
  readonly logBatch: number;
  readonly metricInterval: number;
  readonly metricTimeout: number;
  readonly attributeCount: number;
  readonly valueLength: number | undefined;
  readonly spanAttributes: number | undefined;
  readonly spanValueLength: number | undefined;
  readonly spanEvents: number;
  readonly spanLinks: number;
  readonly eventAttributes: number;
  readonly linkAttributes: number;
  readonly recordAttributes: number | undefined;
  readonly recordValueLength: number | undefined;
  readonly prometheusHost: string | undefined;
  readonly prometheusPort: string | undefined;
}

export type SamplerName = 'always_on' | 'always_off' | 'traceidratio' | 'parentbased_always_on' | 'parentbased_always_off' | 'parentbased_traceidratio';
export type ExporterName = 'otlp' | 'console' | 'otlp/stdout' | 'none';

/** Every variable there is. */
export const variables: { readonly [Key in keyof VariableValues]: Variable<VariableValues[Key]> } = {
  disabled: row('OTEL_SDK_DISABLED', flag, false, 'Switches all of it off, whatever else is set'),
  configFile: row('OTEL_CONFIG_FILE', line, undefined, 'Not read: a problem says so, and the other variables count', unset),
  endpoint: row('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint, undefined, 'Base address: `/v1/traces`, `/v1/metrics`, `/v1/logs` are put behind it. For one signal: the whole address, used as it is', { signals, ...unset }),
  headers: row('OTEL_EXPORTER_OTLP_HEADERS', headers, undefined, 'Headers of each request, `name=value,name=value` with percent escapes. Those for one signal stand in place of the general ones', { signals, ...unset }),
  compression: row('OTEL_EXPORTER_OTLP_COMPRESSION', oneOf('gzip', 'none'), undefined, 'Of each request', { signals, defaultWords: '`gzip`; `none` to this machine' }),
  timeout: row('OTEL_EXPORTER_OTLP_TIMEOUT', milliseconds, 10_000, 'For one request and its answer; `0`: no limit', { signals }),
  protocol: row('OTEL_EXPORTER_OTLP_PROTOCOL', oneOf('http/json', 'http/protobuf', 'grpc'), undefined, '`http/json` is what is sent; a problem says so where another is named', { signals, defaultWords: '`http/json`' }),
  certificate: row('OTEL_EXPORTER_OTLP_CERTIFICATE', file, undefined, 'PEM file with the certificates that sign the receiver\'s', { signals, ...unset }),
  clientCertificate: row('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', file, undefined, 'PEM file with our certificate; needs the key', { signals, ...unset }),
  clientKey: row('OTEL_EXPORTER_OTLP_CLIENT_KEY', file, undefined, 'PEM file with its key', { signals, ...unset }),
  temporality: row('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', oneOf('cumulative', 'delta', 'lowmemory'), 'cumulative', 'How counters and histograms are told: since the start, or since the last time. Up-down counters are cumulative in all'),
  histograms: row('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', oneOf('explicit_bucket_histogram', 'base2_exponential_bucket_histogram'), 'explicit_bucket_histogram', 'How histograms of a program that embeds the library are told; those of `loki` have the buckets of `/metrics`, and a problem says so'),
  serviceName: row('OTEL_SERVICE_NAME', line, undefined, '`service.name`; stronger than the same in `OTEL_RESOURCE_ATTRIBUTES`', { defaultWords: '`loki-mode`' }),
  resource: row('OTEL_RESOURCE_ATTRIBUTES', attributes, {}, 'Further attributes of the resource; one mistake discards the whole value', unset),
  sampler: row('OTEL_TRACES_SAMPLER', samplers, 'parentbased_always_on', 'Which traces are kept'),
  samplerArg: row('OTEL_TRACES_SAMPLER_ARG', ratio, undefined, 'The share of traces that the `traceidratio` samplers keep', { defaultWords: '`1`' }),
  propagators: row('OTEL_PROPAGATORS', someOf('tracecontext', 'baggage', 'none'), ['tracecontext', 'baggage'], 'What is taken from others and handed on to them: `tracecontext` (`TRACEPARENT`, the header `traceparent`), or `none`. `baggage` is not carried, and a problem says so where it is named', { defaultWords: '`tracecontext,baggage`' }),
  tracesExporter: row('OTEL_TRACES_EXPORTER', someOf('otlp', 'console', 'otlp/stdout', 'none'), undefined, 'Where spans go. `console` and `otlp/stdout` are not offered: a problem says so', { defaultWords: '`otlp`' }),
  metricsExporter: row('OTEL_METRICS_EXPORTER', someOf('otlp', 'console', 'otlp/stdout', 'prometheus', 'none'), undefined, 'Where metrics go; as for spans. `prometheus` is `/metrics` of the control plane, which is there anyway', { defaultWords: '`otlp`' }),
  logsExporter: row('OTEL_LOGS_EXPORTER', someOf('otlp', 'console', 'otlp/stdout', 'none'), undefined, 'Where log records go; as for spans', { defaultWords: '`otlp`' }),
  spanDelay: row('OTEL_BSP_SCHEDULE_DELAY', milliseconds, 5000, 'Between two exports of spans'),
  spanTimeout: row('OTEL_BSP_EXPORT_TIMEOUT', milliseconds, undefined, 'Not used: `OTEL_EXPORTER_OTLP_TIMEOUT` is for each request', unset),
  spanQueue: row('OTEL_BSP_MAX_QUEUE_SIZE', items, 2048, 'Spans kept in memory'),
  spanBatch: row('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', items, 512, 'Spans in one export; at most the queue'),
  logDelay: row('OTEL_BLRP_SCHEDULE_DELAY', milliseconds, 1000, 'Between two exports of log records'),
  logTimeout: row('OTEL_BLRP_EXPORT_TIMEOUT', milliseconds, undefined, 'Not used: as for spans', unset),
  logQueue: row('OTEL_BLRP_MAX_QUEUE_SIZE', items, 2048, 'Log records kept in memory'),
  logBatch: row('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', items, 512, 'Log records in one export; at most the queue'),
  metricInterval: row('OTEL_METRIC_EXPORT_INTERVAL', integer(100, 86_400_000, 'of milliseconds '), 60_000, 'Between two exports of metrics'),
  metricTimeout: row('OTEL_METRIC_EXPORT_TIMEOUT', milliseconds, 30_000, 'For looking up what is measured; `0`: no limit'),
  attributeCount: row('OTEL_ATTRIBUTE_COUNT_LIMIT', attributeCount, 128, 'Attributes of anything that has no limit of its own'),
  valueLength: row('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', length, undefined, 'Characters of a text among attributes', { defaultWords: 'none' }),
  spanAttributes: row('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', attributeCount, undefined, 'Attributes of a span', { defaultWords: 'the general one' }),
  spanValueLength: row('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', length, undefined, 'Characters of a text among those', { defaultWords: 'the general one' }),
  spanEvents: row('OTEL_SPAN_EVENT_COUNT_LIMIT', attributeCount, 128, 'Events of a span'),
  spanLinks: row('OTEL_SPAN_LINK_COUNT_LIMIT', attributeCount, 128, 'Links of a span'),
  eventAttributes: row('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', attributeCount, 128, 'Attributes of an event of a span'),
  linkAttributes: row('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', attributeCount, 128, 'Attributes of a link'),
  recordAttributes: row('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', attributeCount, undefined, 'Attributes of a log record', { defaultWords: 'the general one' }),
  recordValueLength: row('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', length, undefined, 'Characters of a text among those', { defaultWords: 'the general one' }),
  prometheusHost: row('OTEL_EXPORTER_PROMETHEUS_HOST', line, undefined, 'Not used: `/metrics` is where the control plane listens (`LOKI_HOST`)', unset),
  prometheusPort: row('OTEL_EXPORTER_PROMETHEUS_PORT', line, undefined, 'Not used: `/metrics` is where the control plane listens (`LOKI_PORT`)', unset),
};

/** Names of every variable, the ones for single signals included. */
export const variableNames: readonly string[] = Object.values<Variable<unknown>>(variables).flatMap((variable) => [variable.name, ...(variable.signals ?? []).map((signal) => nameFor(variable, signal))]);
