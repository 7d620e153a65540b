/**
 * The checks every request passes before anything else looks at it. Trusts nothing in the request; refuses a Host that is
 * not on the list (DNS rebinding), an Origin or Sec-Fetch-Site of another site (cross-site requests), a path with anything
 * but plain segments (traversal, smuggled separators), and repeated header fields that two readers could understand
 * differently.
 */
import { LokiError } from '../errors.ts';
import type { HttpRequest } from '../base/http.ts';
import { cameThroughProxy } from './client-address.ts';

/** Which names the control plane answers to. */
export interface DoorOptions {
  /** The address it listens on. */
  readonly listenHost: string;
  /** More hosts, `name` (on the port it listens on, or the scheme's own) or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Origins of other sites whose pages may call, exactly as browsers send them. */
  readonly corsOrigins: readonly string[];
  /** Whether callers must show who they are. Where they need not, nobody is let in from elsewhere through a proxy on this machine. */
  readonly authentication: boolean;
}

/** What the door makes of a request. */
export interface Admitted {
  readonly path: string;
  /** Behind the `?`, still encoded. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Set when a page of another, listed site asks; the answer must name it. */
  readonly crossOrigin: string | undefined;
  /** Whether a browser came here from another site by following a link. */
  readonly followedLink: boolean;
}

/** An identity provider sends a browser back with a code of any length that it likes. */
const wayBack = '/auth/callback?';
const most = { target: 2048, wayBack: 8192, headers: 100 };

/** Fields that must not come twice: each decides something here. */
const single: ReadonlySet<string> = new Set([
  'host', 'origin', 'authorization', 'cookie', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'last-event-id',
  'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest', 'if-match', 'if-none-match', 'idempotency-key',
]);

/** Throws `request.invalid` or `request.origin`. */
export type Door = (request: HttpRequest) => Admitted;

export function createDoor(options: DoorOptions): Door {
  const ownNames = ['127.0.0.1', 'localhost', '[::1]', ...(isAnyAddress(options.listenHost) ? [] : [bracketed(options.listenHost)])];
  const listed = options.allowedHosts.map((host) => host.toLowerCase());
  const names = [...ownNames.map((name) => name.toLowerCase()), ...listed.filter((name) => !/:\d+$/.test(name))];
  const origins = new Set(options.corsOrigins.map((origin) => origin.toLowerCase()));

  /** The host, in lower case, if it is one of ours. */
  function checkHost(host: string | undefined, { port, secure, overSocket }: HttpRequest): string {
    if (host === undefined || host === '') throw invalid('it names no Host');
    const lower = host.toLowerCase();
    if (overSocket === true && lower === 'localhost') return lower;
    const usualPort = port === (secure ? 443 : 80);
    if (listed.includes(lower) || names.some((name) => lower === `${name}:${port}` || (usualPort && lower === name))) return lower;
    throw foreign(`the Host ${quoted(host)} is not on the list of this control plane`, 'Add the name to enterprise.server.allowed_hosts (LOKI_ALLOWED_HOSTS)');
  }

  return (request) => {
    const headers = readHeaders(request.headers);
    const host = checkHost(headers.get('host'), request);
    if (!options.authentication && cameThroughProxy(headers)) {
      throw foreign('it came through a proxy, and authentication is off', 'Set enterprise.auth.enabled (LOKI_ENTERPRISE_AUTH=true) before a proxy leads here');
    }
    const { path, query } = readTarget(request.target);
    const own = `${request.secure ? 'https' : 'http'}://${host}`;
    const origin = headers.get('origin')?.toLowerCase();
    const known = origin !== undefined && origins.has(origin);
    if (origin !== undefined && origin !== own && !known) throw foreign(`the request comes from a page of ${quoted(origin)}`);
    return { path, query, headers, crossOrigin: known && origin !== own ? origin : undefined, followedLink: fromElsewhere(request.method, headers, known) };
  };
}

/** Listening there means listening everywhere; no one is called that. */
function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '[::]';
}

/** Same-site is not enough: every other port of this machine is the same site. */
function fromElsewhere(method: string, headers: ReadonlyMap<string, string>, listed: boolean): boolean {
  const site = headers.get('sec-fetch-site');
  if (site === undefined || site === 'same-origin' || site === 'none' || listed) return false;
  const opensPage = (method === 'GET' || method === 'HEAD') && headers.get('sec-fetch-mode') === 'navigate' && headers.get('sec-fetch-dest') === 'document';
  if ((site === 'cross-site' || site === 'same-site') && opensPage) return true;
  throw foreign(`a browser says the request was made by another site (Sec-Fetch-Site: ${quoted(site)})`);
}

/** Throws unless the route is a page that a link may lead to. */
export function checkFollowedLink(admitted: Admitted, navigable: boolean): void {
  if (admitted.followedLink && !navigable) throw foreign('a browser was sent here by another site');
}

function readHeaders(lines: HttpRequest['headers']): ReadonlyMap<string, string> {
  if (lines.length > most.headers) throw invalid(`${lines.length} header fields; at most ${most.headers} are read`);
  const headers = new Map<string, string>();
  for (const [name, value] of lines) {
    const before = headers.get(name);
    if (before !== undefined && single.has(name)) throw invalid(`the header field ${quoted(name)} comes more than once`);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** Plain segments only. No path of this API needs an escape, so none is decoded and none can hide a separator. */
function readTarget(target: string): { readonly path: string; readonly query: string } {
  const longest = target.startsWith(wayBack) ? most.wayBack : most.target;
  if (target.length > longest) throw invalid(`the target is ${target.length} characters long; at most ${longest} are read`);
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (!path.startsWith('/')) throw invalid('the target is not a path on this server');
  if (!/^[A-Za-z0-9._~:@/-]+$/.test(path)) throw invalid('the path holds an escape or a character that no path here has');
  if (path.slice(1).split('/').some((segment) => segment === '.' || segment === '..')) throw invalid('the path holds a dot segment');
  if (path.includes('//')) throw invalid('the path holds an empty segment');
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (/[^\x21-\x7e]|#/.test(query)) throw invalid('the query holds a character that must be percent-encoded');
  return { path, query };
}

function invalid(found: string): LokiError {
  return new LokiError('request.invalid', { attempted: 'read the request', found });
}

function foreign(found: string, hint?: string): LokiError {
  return new LokiError('request.origin', { attempted: 'accept the request', found, ...(hint === undefined ? {} : { hint }) });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
