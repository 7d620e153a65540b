/** What to do about what a receiver answered: a table of what is known to go wrong, and by what it shows. */
import type { ExportAnswer } from '../../base/telemetry-ports.ts';
import type { Signal } from '../../telemetry/batch.ts';
import { retryable } from '../../telemetry/export/verdict.ts';
import type { Temporality } from '../../telemetry/settings.ts';

/** What was sent where, and what came back. */
export interface Tried {
  readonly signal: Signal;
  readonly url: string;
  readonly temporality: Temporality;
  readonly answer: ExportAnswer;
  /** In words, without secrets. */
  readonly words: string;
}

interface Case {
  readonly shows: (tried: Tried & { readonly status: number; readonly port: number; readonly path: string }) => boolean;
  readonly repair: (tried: Tried & { readonly path: string }) => string;
}

const grpcPort = 4317;
/** Codes of Node's HTTP parser, for answers that are no HTTP/1.1. */
const noHttp = /^(?:HPE_|ECONNRESET$)|Parse Error/;
/** What servers say that take ids of spans as base64, against the specification's "JSON Protobuf Encoding". */
const idsAsBase64 = /invalid length for ID|ID\.UnmarshalJSON|base64|(?:trace|span).?id.{0,40}length|length.{0,40}(?:trace|span).?id/i;

/** The first that fits counts. */
const cases: readonly Case[] = [
  { shows: ({ port, answer }) => port === grpcPort && answer.kind === 'unreachable' && (noHttp.test(answer.code ?? '') || noHttp.test(answer.message)), repair: () => 'That is how a port for gRPC answers: use the port for OTLP over HTTP, usually 4318' },
  { shows: ({ answer, url }) => url.startsWith('http:') && (answer.kind === 'unreachable' ? /HPE_/.test(answer.code ?? '') : /HTTP request (?:was sent )?to (?:an )?HTTPS/i.test(answerText(answer))), repair: () => 'It does not speak plain HTTP there; try https:// in the endpoint' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /does not speak TLS/.test(answer.message), repair: () => 'It speaks plain HTTP there, or something else; try http:// in the endpoint' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /^it cannot be sent: error:/.test(answer.message), repair: () => 'Look at the files of our certificate and its key: they must be PEM, without a passphrase, and belong together' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /certificate of ours|our certificate/.test(answer.message), repair: () => 'Show it a certificate that it trusts: enterprise.telemetry.cert and key (OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY)' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && answer.code === 'ERR_TLS_CERT_ALTNAME_INVALID', repair: () => 'Name the receiver in the endpoint as its certificate does, or have it show one for this name' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(answer.code ?? ''), repair: () => 'Have the receiver show a certificate that is valid now; if it does, set the clock of this machine right' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /certificate/.test(answer.message), repair: () => 'Name the authority\'s certificate in enterprise.telemetry.ca (OTEL_EXPORTER_OTLP_CERTIFICATE), or have the receiver show one that is right' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && answer.code === 'ECONNREFUSED', repair: () => 'Start the receiver, or correct host and port; OTLP over HTTP is usually on port 4318' },
  { shows: ({ answer }) => answer.kind === 'unreachable' && /^(?:ENOTFOUND|EAI_)/.test(answer.code ?? ''), repair: () => 'Correct the name of the host, or the name server' },
  { shows: ({ answer, url }) => answer.kind === 'unreachable' && url.startsWith('http:') && /^(?:ECONNRESET|EPIPE)$|closed the connection/.test(answer.code ?? answer.message), repair: () => 'Look whether the receiver runs, and what stands between; one that wants TLS breaks off too: then https:// in the endpoint' },
  { shows: ({ answer }) => answer.kind === 'unreachable', repair: () => 'Look whether the receiver runs, and what stands between' },
  { shows: ({ status, path }) => status === 404 && /\/v1\/\w+\/v1\/\w+$/.test(path), repair: ({ path }) => `The path is ${path}: leave /v1/… out of the endpoint, it is put behind it` },
  { shows: ({ status, path, signal }) => (status === 404 || status === 405) && !path.endsWith(`/v1/${signal}`), repair: ({ path, signal }) => `The path is ${path}: the endpoint of one signal is used as it is; end it in /v1/${signal}` },
  { shows: ({ status }) => status === 404, repair: ({ path, signal }) => `Look which path the receiver takes ${signal} at: ${path} is not it, or it does not take ${signal} at all (OTEL_${signal.toUpperCase()}_EXPORTER=none)` },
  { shows: ({ status }) => status === 405, repair: () => 'Something else than an OTLP receiver is there, or the path is wrong' },
  { shows: ({ status }) => status === 401 || status === 403, repair: () => 'Set the credentials that it wants: enterprise.telemetry.headers, or OTEL_EXPORTER_OTLP_HEADERS' },
  { shows: ({ status }) => status === 415, repair: () => 'Have it take application/json; a collector of OpenTelemetry with the receiver otlp over http does' },
  { shows: ({ status, words }) => status === 400 && idsAsBase64.test(words), repair: () => 'It reads ids as base64, and OTLP/JSON has them in hexadecimal (opentelemetry-proto, "JSON Protobuf Encoding"): the receiver must be updated' },
  { shows: ({ status, words }) => status === 400 && /proto(?:buf)?|wire ?type|unmarshal/i.test(words), repair: () => 'It seems to read protobuf only; put a collector of OpenTelemetry before it' },
  { shows: ({ signal, words }) => signal === 'metrics' && /temporality|cumulative|delta/i.test(words), repair: (tried) => otherTemporality(tried) },
  { shows: ({ words }) => /timestamp|too (?:old|far)|future|out of (?:order|bounds)/i.test(words), repair: () => 'Compare the clocks of the two machines' },
  { shows: ({ status }) => status === 301 || status === 302 || status === 307 || status === 308, repair: () => 'Name the address it leads to; headers are not carried to another place' },
  { shows: ({ status }) => retryable.includes(status), repair: () => 'Try again later; what cannot be sent waits on disk' },
  { shows: ({ status }) => status >= 500, repair: () => 'Look into the receiver\'s own log; what it answers so is dropped, and not sent again' },
  { shows: ({ words }) => /web page|no JSON/.test(words), repair: () => 'That is no OTLP receiver, or a login stands before it: correct the endpoint' },
];

/** What mends it; undefined where nobody can say. */
export function repairFor(tried: Tried): string | undefined {
  const { port, pathname, protocol } = new URL(tried.url);
  const facts = { ...tried, path: pathname, port: Number(port) || (protocol === 'https:' ? 443 : 80), status: tried.answer.kind === 'answered' ? tried.answer.status : 0 };
  return cases.find(({ shows }) => shows(facts))?.repair(facts);
}

function otherTemporality({ temporality }: Pick<Tried, 'temporality'>): string {
  const other = temporality === 'cumulative' ? 'delta' : 'cumulative';
  return `Metrics are told as ${temporality}; try OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=${other} (enterprise.telemetry.temporality)`;
}

function answerText(answer: ExportAnswer): string {
  return answer.kind === 'answered' ? answer.body.slice(0, 500) : '';
}

/** Receivers that take metrics in one form only, by their address: what is sent otherwise they drop, often without a word. */
const wants: readonly (readonly [where: RegExp, temporality: 'cumulative' | 'delta'])[] = [
  [/^https?:\/\/[^/]*(?:\.dynatrace\.com|\.dynatracelabs\.com|\.datadoghq\.(?:com|eu)|\.getdx\.com|\.getdx\.net)(?::\d+)?\//, 'delta'],
  [/\/api\/v1\/otlp\/v1\/metrics(?:$|\?)/, 'cumulative'],
];

/** Where metrics are known to be dropped as they are told: what to set. */
export function temporalityHint(url: string, temporality: Temporality): string | undefined {
  const wanted = wants.find(([where]) => where.test(url))?.[1];
  const told = temporality === 'cumulative' ? 'cumulative' : 'delta';
  return wanted === undefined || wanted === told ? undefined : `it takes metrics told as ${wanted} only; ${otherTemporality({ temporality })}`;
}
