/**
 * Settings of telemetry (`enterprise.telemetry`) as files say them. Whatever is wrong here is told and switches off what it concerns, and
 * stops nobody. OpenTelemetry's own variables stand above the files; all but three of them are read by `lib/telemetry/` alone.
 */
import { formatDuration } from '../../base/duration.ts';
import { endpointAccepts, parseEndpoint } from '../../base/otlp-endpoint.ts';
import { parseHeaders, refusedHeader } from '../../base/otlp-headers.ts';
import { Secret } from '../../base/secret.ts';
import type { YamlNode } from '../../formats/yaml/node.ts';
import { duration, integer, listOf, mapOf, oneOf, path, record, scalar, secretText, text } from '../kinds.ts';
import type { Kind, Refuse, Section, Setting } from '../setting.ts';

type Signal = 'traces' | 'metrics' | 'logs';
type Temporality = 'cumulative' | 'delta' | 'lowmemory';
type Sampler = 'always_on' | 'always_off' | 'traceidratio' | 'parentbased_always_on' | 'parentbased_always_off' | 'parentbased_traceidratio';

/** One more receiver. What is left out has its default, not what is said of the first one. */
export interface TelemetryDestination {
  readonly endpoint: string;
  readonly headers?: ReadonlyMap<string, Secret>;
  readonly signals?: readonly Signal[];
  readonly temporality?: Temporality;
  readonly compression?: 'gzip' | 'none';
  /** Milliseconds; 0: no limit. */
  readonly timeout?: number;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Traces, metrics and logs over OTLP/HTTP. Off until there is an endpoint. */
export interface TelemetryConfig {
  readonly endpoint: string | undefined;
  readonly serviceName: string;
  readonly headers: ReadonlyMap<string, Secret> | undefined;
  readonly spoolMb: number;
  readonly destinations: readonly TelemetryDestination[];
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly timeout: number | undefined;
  readonly compression: 'gzip' | 'none' | undefined;
  readonly temporality: Temporality | undefined;
  readonly sampler: Sampler | undefined;
  readonly samplerArg: number | undefined;
}

const endpoint: Kind<string> = {
  accepts: endpointAccepts,
  fromText(given, refuse) {
    const parsed = parseEndpoint(given);
    if (parsed.kind !== 'none') return given.trim();
    return refuse({ found: parsed.found, accepts: endpointAccepts, ...(/[@?]/.test(given) ? { hidden: true } : {}) });
  },
  fromNode(node, refuse) {
    if (node.kind === 'scalar' && node.value !== null) return endpoint.fromText(node.text, (mistake) => refuse({ ...mistake, node }));
    return refuse({ found: node.kind === 'scalar' ? 'is empty' : `is a ${node.kind === 'map' ? 'map' : 'list'}`, accepts: endpointAccepts, node });
  },
};

const headerMap = mapOf(secretText, text('a header name', /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/));

/** As a map in a file; as a text in the form of the exporter's specification. Nothing of it is ever repeated. */
const headers: Kind<ReadonlyMap<string, Secret>> = {
  accepts: 'a map of header names to values, or name=value,name=value with percent escapes',
  fromText(given, refuse) {
    const parsed = parseHeaders(given);
    return typeof parsed === 'string' ? refuse({ found: parsed, accepts: headers.accepts, hidden: true }) : parsed;
  },
  fromNode(node, refuse) {
    const conceal: Refuse = ({ node: where = node }) => refuse({ found: 'cannot be used', accepts: headers.accepts, node: where, hidden: true });
    const given = headerMap.fromNode(node, conceal);
    const refused = [...given ?? []].map(([name, value]) => refusedHeader(name, value.reveal())).find((why) => why !== undefined);
    if (refused !== undefined) return refuse({ found: refused, accepts: headers.accepts, node, hidden: true });
    return given === undefined ? undefined : new Map([...given].map(([name, value]) => [name.toLowerCase(), value]));
  },
};

const temporality = oneOf<Temporality>('cumulative', 'delta', 'lowmemory');
const compression = oneOf('gzip', 'none');
const timeout = duration('0s', '1h');

const destination: Kind<TelemetryDestination> = record<TelemetryDestination>(
  { endpoint, headers, signals: listOf(oneOf<Signal>('traces', 'metrics', 'logs')), temporality, compression, timeout, ca: path, cert: path, key: path }, ['endpoint'],
);

/** A certificate without its key is of no use, and neither is the other. */
const destinations: Kind<readonly TelemetryDestination[]> = {
  ...listOf(destination),
  fromNode(node: YamlNode, refuse: Refuse) {
    const all = listOf(destination).fromNode(node, refuse);
    const half = all?.findIndex(({ cert, key }) => (cert === undefined) !== (key === undefined)) ?? -1;
    return half < 0 ? all : refuse({ found: 'has only one of cert and key', accepts: 'both of them, or neither', within: `[${half}]`, node });
  },
};

/** `~/` in the paths of a receiver, put at the home directory. */
export function withAbsolutePaths(all: readonly TelemetryDestination[], absolute: (path: string) => string): readonly TelemetryDestination[] {
  return all.map((each) => ({
    ...each, ...(each.ca === undefined ? {} : { ca: absolute(each.ca) }), ...(each.cert === undefined ? {} : { cert: absolute(each.cert) }), ...(each.key === undefined ? {} : { key: absolute(each.key) }),
  }));
}

function shownEndpoint(given: string): string {
  const parsed = parseEndpoint(given);
  return parsed.kind === 'none' ? 'set (hidden)' : parsed.shown;
}

/** One row, of those that only observe and that no project may set. */
function row<T>(key: string, kind: Kind<NoInfer<T>>, fallback: NoInfer<T>, meaning: string, more: Partial<Setting<NoInfer<T>>> = {}): Setting<T> {
  return { key: `enterprise.telemetry.${key}`, kind, default: fallback, project: 'never', observes: true, meaning, ...(fallback === undefined ? { defaultWords: 'unset' } : {}), ...more };
}

/** One row a field of `TelemetryConfig`. */
export const telemetrySection: Section<TelemetryConfig> = {
  endpoint: row('endpoint', endpoint, undefined, 'Base address of an OTLP/HTTP receiver, or a folder for OTLP files. Giving one enables telemetry', {
    env: [{ name: 'LOKI_OTEL_ENDPOINT' }, { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', shared: true }], show: (value) => (value === undefined ? 'unset' : shownEndpoint(value)),
  }),
  serviceName: row('service_name', text(), 'loki-mode', '`service.name` of everything sent', { env: [{ name: 'LOKI_SERVICE_NAME' }, { name: 'OTEL_SERVICE_NAME', shared: true }] }),
  headers: row('headers', headers, undefined, 'Headers of each request, as a map, or as `name=value,name=value` with `%` escapes', { env: [{ name: 'OTEL_EXPORTER_OTLP_HEADERS', shared: true }], secret: true }),
  spoolMb: row('spool_mb', integer(0, 100_000), 64, 'Megabytes kept on disk while a receiver cannot be reached; `0` keeps none'),
  destinations: row('destinations', destinations, [], 'Further receivers, each with a queue of its own: a list of `endpoint` and, where wanted, `headers`, `signals` (`[traces, metrics, logs]`), `temporality`, `compression`, `timeout`, `ca`, `cert`, `key`', {
    defaultWords: 'none', show: (value) => (value.length === 0 ? 'none' : value.map(({ endpoint: where }) => shownEndpoint(where)).join(', ')),
  }),
  ca: row('ca', path, undefined, 'File with the certificates that sign the receiver\'s (PEM)'),
  cert: row('cert', path, undefined, 'File with our certificate (PEM); needs `key`'),
  key: row('key', path, undefined, 'File with the key of that certificate (PEM)'),
  timeout: row('timeout', timeout, undefined, 'For one request and its answer; `0` sets no limit', { defaultWords: '`10s`', show: (value) => formatDuration(value ?? 10_000) }),
  compression: row('compression', compression, undefined, 'Of each request', { defaultWords: '`gzip`; `none` to this machine' }),
  temporality: row('temporality', temporality, undefined, 'How counters and histograms are told: since the start, or since the last time', { defaultWords: '`cumulative`' }),
  sampler: row('sampler', oneOf<Sampler>('always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'), undefined, 'Which traces are kept', { defaultWords: '`parentbased_always_on`' }),
  samplerArg: row('sampler_arg', scalar('a number from 0 to 1', (given) => (/^(?:0?\.\d{1,20}|[01](?:\.0{0,20})?)$/.test(given) ? Number(given) : undefined)), undefined, 'The share of traces that the `traceidratio` samplers keep', { defaultWords: '`1`' }),
};
