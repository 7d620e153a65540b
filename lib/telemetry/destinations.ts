/**
 * Which receivers telemetry goes to, and how. Credentials stay with the receiver they were given for: headers and client keys of a
 * configuration file are never sent to an endpoint that the environment names, which an agent may have written.
 */
import { sha256Hex } from '../base/digest.ts';
import { signalUrl, type Endpoint, type HttpEndpoint } from '../base/otlp-endpoint.ts';
import type { Secret } from '../base/secret.ts';
import { signals as allSignals, type Signal } from './batch.ts';
import type { DestinationSettings, SignalRoute, Temporality, TlsFiles } from './settings.ts';
import { nameFor, variables } from './variables.ts';
import type { Found, Key, Listener, Said, VoiceName } from './voices.ts';

/** A receiver beside the one that the variables name, with everything that is its own. */
export interface FurtherDestination {
  readonly endpoint: Said<Endpoint>;
  readonly headers?: ReadonlyMap<string, Secret> | undefined;
  /** All of them when left out. */
  readonly signals?: readonly Signal[] | undefined;
  readonly temporality?: Temporality | undefined;
  readonly compression?: 'gzip' | 'none' | undefined;
  readonly timeoutMs?: number | undefined;
  readonly tls?: TlsFiles;
}

/** Where one signal goes, before signals are put together. */
interface Way {
  readonly signal: Signal;
  readonly endpoint: Endpoint;
  readonly from: string;
  readonly temporality: Temporality;
  /** For http. */
  readonly route?: SignalRoute;
}

/** Says why nothing may be sent to a host (a name, or an address without brackets); undefined when it may be. */
export type RefusedHost = (host: string) => string | undefined;

/** The receivers of these signals, and the further ones. */
export function destinationsOf(listener: Listener, wanted: readonly Signal[], further: readonly FurtherDestination[], refused: RefusedHost): readonly DestinationSettings[] {
  const ways = wanted.flatMap((signal) => wayOf(listener, signal) ?? []);
  const groups = [grouped(ways), ...further.map((each) => grouped(waysOf(each)))].flat();
  return withoutDoubles(groups.filter((way) => mayReach(listener, way, refused)).map(settingsOf));
}

function wayOf(listener: Listener, signal: Signal): Way | undefined {
  const found = listener.read('endpoint', signal);
  const endpoint = found.value;
  if (endpoint === undefined) return undefined;
  const { value: temporality } = listener.read('temporality');
  const way = { signal, endpoint, from: found.from, temporality };
  if (endpoint.kind === 'file') return way;
  noteOddities(listener, endpoint, found, signal);
  return { ...way, route: routeOf(listener, signal, endpoint, found) };
}

function routeOf(listener: Listener, signal: Signal, endpoint: HttpEndpoint, found: Found<Endpoint | undefined>): SignalRoute {
  const trusts = (key: Key) => (voice: VoiceName, from: string): boolean => {
    const why = withheld(listener, signal, endpoint, found, voice, key);
    if (why !== undefined) listener.note(`what ${from} says is not sent to ${endpoint.shown}: ${why}`);
    return why === undefined;
  };
  const headers = listener.read('headers', signal, trusts('headers')).value ?? new Map<string, Secret>();
  if (headers.size > 0 && endpoint.url.startsWith('http:') && !isThisMachine(endpoint.host)) {
    listener.note(`headers go to ${endpoint.shown} over plain http: whoever is in between can read them`, 'Use https');
  }
  return {
    url: found.isForSignal ? endpoint.url : signalUrl(endpoint.url, signal), headers,
    gzip: usesGzip(listener.read('compression', signal).value, endpoint), timeoutMs: listener.read('timeout', signal).value,
    tls: tlsOf(listener, signal, trusts),
  };
}

/** Why a voice's credentials stay away from this endpoint; undefined when they need not. */
function withheld(listener: Listener, signal: Signal, { url }: HttpEndpoint, found: Found<Endpoint | undefined>, voice: VoiceName, key: Key): string | undefined {
  if (voice === 'under' && found.voice !== 'under') return `${found.from} names another receiver than the file it stands in`;
  if (voice !== 'environment' || found.voice !== 'over' || key !== 'headers') return undefined;
  const theirs = listener.environmentSays('endpoint', signal);
  const isElsewhere = theirs?.value.kind === 'http' && new URL(theirs.value.url).origin !== new URL(url).origin;
  return isElsewhere ? `they are for the receiver in ${theirs.from}` : undefined;
}

function tlsOf(listener: Listener, signal: Signal, trusts: (key: Key) => (voice: VoiceName, from: string) => boolean): TlsFiles {
  const ca = listener.read('certificate', signal).value;
  const cert = listener.read('clientCertificate', signal, trusts('clientCertificate'));
  const key = listener.read('clientKey', signal, trusts('clientKey'));
  const isPair = cert.value !== undefined && key.value !== undefined;
  if (!isPair && (cert.value ?? key.value) !== undefined) {
    const [one, other] = cert.value === undefined ? [key.from, variables.clientCertificate.name] : [cert.from, variables.clientKey.name];
    listener.note(`${one} is set without ${other}; neither is used`);
  }
  return { ...(ca === undefined ? {} : { ca }), ...(isPair && cert.value !== undefined && key.value !== undefined ? { cert: cert.value, key: key.value } : {}) };
}

/** To this machine there is no wire to save on. */
function usesGzip(asked: 'gzip' | 'none' | undefined, { host }: HttpEndpoint): boolean {
  return asked === undefined ? !isThisMachine(host) : asked === 'gzip';
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const grpcPort = 4317;

/** What can be used, and is probably not what was meant. */
function noteOddities(listener: Listener, { port, path, shown }: HttpEndpoint, { from, isForSignal }: Found<unknown>, signal: Signal): void {
  if (port === grpcPort) listener.note(`${from} names port ${grpcPort}, where receivers usually speak gRPC, and this program speaks OTLP over HTTP`, 'Use port 4318');
  const tail = /\/v1\/(traces|metrics|logs)\/?$/.exec(path)?.[1];
  if (!isForSignal && tail !== undefined) {
    listener.note(`${from} ends in /v1/${tail}, and /v1/${signal} is put behind it`, `Leave /v1/${tail} out, or set ${nameFor(variables.endpoint, signal)} instead`);
  }
  if (isForSignal && path === '/') listener.note(`${from} is used as it is, so ${signal} go to ${shown}/`, `Receivers usually take them at ${shown}/v1/${signal}`);
  if (isForSignal && tail !== undefined && tail !== signal) listener.note(`${from} ends in /v1/${tail}, and ${signal} go there`, `End it in /v1/${signal}`);
}

function waysOf({ endpoint: { value: endpoint, from }, headers = new Map(), signals = allSignals, temporality = variables.temporality.default, compression, timeoutMs = variables.timeout.default, tls = {} }: FurtherDestination): readonly Way[] {
  return signals.map((signal) => ({
    signal, endpoint, from, temporality,
    ...(endpoint.kind === 'file' ? {} : { route: { url: signalUrl(endpoint.url, signal), headers, gzip: usesGzip(compression, endpoint), timeoutMs, tls } }),
  }));
}

/** The part of an address that the signals of one receiver share. */
function placeOf({ endpoint, route, signal }: Way): string {
  return endpoint.kind === 'file' ? endpoint.directory : (route?.url ?? '').replace(new RegExp(`/v1/${signal}(?=$|\\?)`), '');
}

function grouped(ways: readonly Way[]): readonly (readonly Way[])[] {
  const groups = new Map<string, Way[]>();
  for (const way of ways) {
    const group = groups.get(placeOf(way));
    if (group === undefined) groups.set(placeOf(way), [way]);
    else group.push(way);
  }
  return [...groups.values()];
}

function mayReach(listener: Listener, [way]: readonly Way[], refused: RefusedHost): boolean {
  const why = way?.endpoint.kind === 'http' ? refused(way.endpoint.host) : undefined;
  if (why !== undefined) listener.note(`nothing is sent to ${way?.endpoint.shown ?? ''} (${way?.from ?? ''}): ${why}`);
  return why === undefined;
}

function settingsOf(ways: readonly Way[]): DestinationSettings {
  const [first] = ways;
  if (first === undefined) throw new TypeError('a destination has at least one signal');
  const place = placeOf(first);
  const name = place.replace(/\?.*$/, '').replace(/\/+$/, '');
  // Without the query: an id is a file's name, and a query may hold a secret.
  const base = { id: `${first.endpoint.kind === 'file' ? 'file' : 'otlp'}-${sha256Hex(name).slice(0, 12)}`, signals: ways.map(({ signal }) => signal), temporality: first.temporality };
  if (first.endpoint.kind === 'file') return { ...base, kind: 'file', name: first.endpoint.shown, directory: first.endpoint.directory };
  const routes = Object.fromEntries(ways.flatMap(({ signal, route }) => (route === undefined ? [] : [[signal, route]])));
  return { ...base, kind: 'http', name, routes };
}

/** Two with one place (two tenants of one receiver) have names of their own, in the order they were written in. */
function withoutDoubles(all: readonly DestinationSettings[]): readonly DestinationSettings[] {
  const seen = new Map<string, number>();
  return all.map((each) => {
    const number = (seen.get(each.id) ?? 0) + 1;
    seen.set(each.id, number);
    return number === 1 ? each : { ...each, id: `${each.id}-${number}`, name: `${each.name} (${number})` };
  });
}
