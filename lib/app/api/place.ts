/**
 * Where the command line talks to, and as whom. A token is shown to the origin that it belongs to and to no other: LOKI_TOKEN to
 * LOKI_URL, or without that to the control plane of this machine; the key of `loki login` to where it was got; the token in
 * LOKI_HOME/run to the control plane that this LOKI_HOME says it runs. Nothing is sent without encryption beyond this machine.
 */
import { isToken } from '../../base/token.ts';
import { LokiError } from '../../errors.ts';
import type { ApiPlace } from '../../host/api-client.ts';
import { isLoopback } from '../../server/listen.ts';
import { readLocalToken } from '../../server/local-token.ts';
import { runningProcess, type RunningProcess } from '../control-plane-address.ts';
import type { Installation } from '../installation.ts';
import { loginToken, readLogin } from '../login.ts';

/** As whom: the variable, the login, this machine's own token, nobody. */
export type Credential = 'LOKI_TOKEN' | 'login' | 'local' | 'none';

/** Where requests go, and what they show. */
export interface ApiDestination {
  readonly place: ApiPlace;
  /** For messages. */
  readonly where: string;
  /** Whether it is the control plane of this LOKI_HOME. */
  readonly isLocal: boolean;
  readonly credential: Credential;
  readonly token: string | undefined;
}

/** `given`: the address named on the command line. Throws `usage`, `net.unreachable` when none runs here, `auth.required` for a token that cannot be one. */
export function destination(installation: Installation, given: string | undefined, attempted: string): ApiDestination {
  const address = given ?? installation.config.client.url ?? loginUrl(installation);
  const running = runningProcess(installation);
  if (address === undefined) {
    if (running === undefined) throw new LokiError('net.unreachable', { attempted, found: 'no control plane runs here, and none is named', hint: 'Start one with: loki dashboard start --detach; or name one with --url or LOKI_URL' });
    const place: ApiPlace = running.socket === null ? { base: running.url } : { socketPath: running.socket };
    return { place, where: 'the control plane of this machine', isLocal: true, ...shown(installation, running.url, running, attempted) };
  }
  const base = checked(address, attempted);
  const { origin } = new URL(base);
  return { place: { base }, where: origin, isLocal: origin === running?.url, ...shown(installation, origin, running, attempted) };
}

/** Where somebody is logged in; a LOKI_TOKEN without LOKI_URL is meant for this machine. */
function loginUrl(installation: Installation): string | undefined {
  return installation.config.client.token === undefined ? readLogin(installation)?.url : undefined;
}

/** Throws `usage` for what is no address, or one where a token could be read on its way. */
function checked(address: string, attempted: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new LokiError('usage', { attempted, found: 'what is named is no http or https address without user, query and fragment', hint: 'Name it as https://loki.example.com' });
  }
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    throw new LokiError('usage', { attempted, found: `${url.origin} is not reached by https, and what is sent could be read on its way`, hint: 'Use an https address' });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function shown(installation: Installation, origin: string, running: RunningProcess | undefined, attempted: string): Pick<ApiDestination, 'credential' | 'token'> {
  const { client } = installation.config;
  const isOwn = origin === running?.url;
  const belongsTo = client.url === undefined ? running?.url : new URL(client.url).origin;
  if (client.token !== undefined && belongsTo === origin) return { credential: 'LOKI_TOKEN', token: usable(client.token.reveal(), attempted) };
  const login = loginToken(installation, origin);
  if (login !== undefined) return { credential: 'login', token: login };
  const { host: { disk }, home } = installation;
  const local = isOwn ? readLocalToken(disk, { home: home.home, path: home.localToken }) : undefined;
  if (local !== undefined) return { credential: 'local', token: local };
  if (client.token === undefined) return { credential: 'none', token: undefined };
  const owner = client.url === undefined ? 'the control plane of this machine, as LOKI_URL is not set' : new URL(client.url).origin;
  throw new LokiError('auth.required', { attempted, found: `LOKI_TOKEN is for ${owner}, and is not shown to ${origin}`, hint: `To use it there: LOKI_URL=${origin}` });
}

/** Tokens of identity providers have another form; one of ours tells by itself that it was mistyped. */
function usable(token: string, attempted: string): string {
  const found = mistyped(token);
  if (found === undefined) return token;
  throw new LokiError('auth.required', { attempted, found: `LOKI_TOKEN ${found}`, hint: 'Copy the whole key again: loki_ and 36 letters and digits' });
}

/** What shows, without asking anybody, that a token cannot count; undefined when nothing does. */
export function mistyped(token: string): string | undefined {
  if (!/^[\x21-\x7e]{1,16384}$/.test(token)) return 'holds characters that no token has';
  return token.startsWith('loki_') && !isToken(token) ? 'is mistyped: its checksum does not match' : undefined;
}
