/**
 * One request from the door to the answer: door, route, caller, allowance, permission, parameters, handler, record. Decides
 * who may go on at each step; trusts nothing before its step has passed; whatever goes wrong becomes a problem document,
 * never a stack. Recording is best effort here: reads change nothing, and the log of record must not be a way to stop them.
 */
import { LokiError, messageOf, type ErrorCode } from '../errors.ts';
import type { AuditEvent, Recorder } from '../audit/entry.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.ts';
import { isId, newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { cameThroughProxy, createClientOf, type ClientOf } from './client-address.ts';
import { checkFollowedLink, createDoor, type Admitted, type Door, type DoorOptions } from './door.ts';
import { readJsonBody, readJsonText, refuseBody } from './body.ts';
import type { Route } from './message.ts';
import { createAuthenticate, holds, stranger, type Authenticate, type Principal } from './principal.ts';
import { allowanceHeaders, callerOf, createRateLimiter, type Allowance, type RateLimiter } from './rate-limit.ts';
import { readQuery } from './query.ts';
import { commonHeaders, problemResponse } from './respond.ts';
import { routeTable } from './route-table.ts';
import { createRouter, type Router } from './router.ts';
import type { Services } from './services.ts';
import { createStreams, type StreamLimits } from './streams.ts';

export interface ApiOptions extends DoorOptions {
  /** Addresses and blocks of the proxies that say for whom they ask; none when left out. */
  readonly trustedProxies?: readonly string[];
  /** What the command line on this machine shows. */
  readonly localToken?: string;
  /** Reads a minute for one caller; 0 switches limits off. */
  readonly rateLimit: number;
  readonly streams?: StreamLimits;
  /** Whether each answer is recorded as well, as `api.response`. */
  readonly recordResponses?: boolean;
  /** Rows beside the ones of the control plane. */
  readonly moreRoutes?: readonly Route[];
}

export interface Api extends HttpHandler {
  /** From now on not ready; every event stream says goodbye and ends. Ordinary requests are still answered. */
  drain(): void;
  /** Event streams that are open now. */
  openStreams(): number;
}

/** What bytes that are no request are told, by status. */
const malformations: { readonly [status: number]: { readonly code: ErrorCode; readonly found: string }; readonly 400: { readonly code: ErrorCode; readonly found: string } } = {
  400: { code: 'request.invalid', found: 'it is not well-formed HTTP/1.1' },
  408: { code: 'interrupted', found: 'it did not arrive in time' },
  431: { code: 'request.large', found: 'its header fields are too large' },
};

export function createApi(services: Services, options: ApiOptions): Api {
  const streams = createStreams(services.timers, options.streams, (error, requestId) => {
    note(services.record, { event: 'api.error', actor: 'system', details: { request_id: requestId, reason: messageOf(error).slice(0, longestReason) } });
  });
  let draining = false;
  const table = [...routeTable(services, streams, () => draining), ...(options.moreRoutes ?? [])];
  const parts: Parts = {
    services, options,
    door: createDoor(options),
    router: createRouter(table),
    authenticate: createAuthenticate({
      required: options.authentication, projectOfHook: (token) => services.hooks.projectOf(token), ...(options.localToken === undefined ? {} : { localToken: options.localToken }),
    }),
    limiter: createRateLimiter(options.rateLimit, services.clock),
    newUse: createUses(services.clock),
    clientOf: createClientOf(options.trustedProxies ?? []),
  };
  const newRequestId = requestIds(services);
  return {
    answer: (request) => new Exchange(parts, request, newRequestId()).answer(),
    malformed(status, { address, secure }) {
      const requestId = newRequestId();
      const { code, found } = malformations[status] ?? malformations[400];
      const problem = problemResponse(new LokiError(code, { attempted: 'read the request', found }), requestId, {}, status);
      const allowance = parts.limiter(callerOf(address), 'read', 1);
      return { ...problem, headers: { ...placeHeaders(secure, options), ...allowanceFields(allowance, services.clock), ...problem.headers, 'X-Request-Id': requestId } };
    },
    drain() {
      draining = true;
      streams.drain();
    },
    openStreams: () => streams.count(),
  };
}

/** Request ids. Asking the system for randomness costs more than the rest of a small request, so it is asked for many at once. */
function requestIds({ clock, random }: Pick<Services, 'clock' | 'random'>): () => string {
  const each = 10;
  let bytes: Uint8Array = new Uint8Array();
  let used = 0;
  return () => {
    if (used === bytes.length) [bytes, used] = [random.bytes(64 * each), 0];
    used += each;
    return newId('request', clock.now(), bytes.subarray(used - each, used));
  };
}

const longestReason = 1024;

/** Records without waiting, and goes on when it cannot be recorded. */
function note(record: Recorder, event: AuditEvent): void {
  try {
    record(event).catch(() => undefined);
  } catch {
    // As above: what has been answered must not fail for its record.
  }
}

/** A token at work from one address is told of this often; each request is recorded as such anyway. */
const useToldEveryMs = 3_600_000;
const mostUses = 1000;

/** Says whether a use of a token from an address is worth telling again. */
function createUses({ monotonic }: Services['clock']): Parts['newUse'] {
  const told = new Map<string, number>();
  return (actor, address) => {
    const key = `${actor} ${address}`;
    const last = told.get(key);
    if (last !== undefined && monotonic() - last < useToldEveryMs) return false;
    if (told.size >= mostUses) told.clear();
    told.set(key, monotonic());
    return true;
  };
}

interface Parts {
  readonly services: Services;
  readonly options: ApiOptions;
  readonly door: Door;
  readonly router: Router;
  readonly authenticate: Authenticate;
  readonly limiter: RateLimiter;
  readonly newUse: (actor: string, address: string) => boolean;
  readonly clientOf: ClientOf;
}

/** What every answer carries, whoever asked for whatever. */
function placeHeaders(secure: boolean, { corsOrigins }: ApiOptions): Record<string, string> {
  return { ...commonHeaders, ...(secure ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}), ...(corsOrigins.length > 0 ? { Vary: 'Origin' } : {}) };
}

function allowanceFields(allowance: Allowance | undefined, clock: Services['clock']): Record<string, string> {
  return allowance === undefined ? {} : allowanceHeaders(allowance, clock.now());
}

/** What a listed site's page may send, and may read of an answer, beside what any page may. */
const acceptedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID';
const exposedHeaders = 'ETag, Link, Location, X-Request-Id, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After';

/** One request being answered: what is known of it so far, for the answer's headers and the record. */
class Exchange {
  readonly #parts: Parts;
  readonly #request: HttpRequest;
  readonly #requestId: string;
  readonly #startedAt: number;
  /** The proxy it came through, when its word counts. */
  readonly #via: string | undefined;
  #principal: Principal = stranger;
  #admitted: Admitted | undefined;
  #route: Route | undefined;
  #allowance: Allowance | undefined;
  #extra: Record<string, string> = {};

  constructor(parts: Parts, request: HttpRequest, requestId: string) {
    this.#parts = parts;
    const client = parts.clientOf(request);
    this.#request = client === undefined ? request : { ...request, address: client.address, secure: client.secure };
    this.#via = client?.via;
    this.#requestId = requestId;
    this.#startedAt = parts.services.clock.monotonic();
  }

  async answer(): Promise<HttpResponse> {
    let response: HttpResponse;
    try {
      response = await this.#respond();
      this.#record(response, undefined);
    } catch (error) {
      const seen = this.#request.signal.aborted ? new LokiError('interrupted', { attempted: 'answer the request', found: 'the client has gone' }) : error;
      response = problemResponse(seen, this.#requestId, this.#extra);
      this.#record(response, error);
    }
    return { ...response, headers: this.#headers(response.headers) };
  }

  async #respond(): Promise<HttpResponse> {
    this.#take('read', 0);
    const admitted = this.#enter();
    const { method } = this.#request;
    const match = this.#parts.router(method, admitted.path);
    if (match.kind === 'found') this.#route = match.route;
    await this.#identify(match.kind === 'found' && match.route.scope === 'none', admitted);
    const preflight = method === 'OPTIONS' && match.kind === 'method';
    if (this.#route?.rate !== 'exempt') this.#take(['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'read' : 'write', 1);
    checkFollowedLink(admitted, this.#route?.navigable ?? false);
    if (preflight) return this.#options(match.allowed);
    this.#requireSafe(method);
    if (match.kind === 'unknown') throw new LokiError('not_found', { attempted: 'answer the request', found: `there is nothing at ${admitted.path}` });
    if (match.kind === 'method') {
      this.#extra = { Allow: match.allowed };
      throw new LokiError('request.method', { attempted: 'answer the request', found: `${JSON.stringify(method.slice(0, 20))} is not a method of this path` });
    }
    this.#permit(match.route);
    return this.#handle(match.route, match.params, admitted);
  }

  /** Passes the door. A caller that is turned away pays for it, so that what it makes us record is bounded. */
  #enter(): Admitted {
    try {
      this.#admitted = this.#parts.door(this.#request);
      return this.#admitted;
    } catch (error) {
      this.#take('read', 1);
      throw error;
    }
  }

  /** A wrong token is paid for from an allowance of its own; right ones are never held up by it. */
  async #identify(anybody: boolean, admitted: Admitted): Promise<void> {
    try {
      this.#principal = await this.#parts.authenticate(admitted.headers.get('authorization'), this.#addressBelieved(admitted));
    } catch (error) {
      if (anybody) return;
      this.#take('auth', 1);
      throw error;
    }
    const { actor, anonymous } = this.#principal;
    const { address } = this.#request;
    if (anonymous || !this.#parts.newUse(actor, address)) return;
    note(this.#parts.services.record, { event: 'auth.token.use', actor, resource: actor, details: { request_id: this.#requestId, address } });
  }

  /** Whoever comes through a proxy that is not listed may be anybody, and is no caller of this machine though the proxy is. */
  #addressBelieved({ headers }: Admitted): string {
    return this.#via === undefined && cameThroughProxy(headers) ? '' : this.#request.address;
  }

  #take(name: Allowance['name'], cost: 0 | 1): void {
    const caller = this.#principal.anonymous ? callerOf(this.#request.address) : this.#principal.actor;
    const allowance = this.#parts.limiter(caller, name, cost);
    this.#allowance = allowance;
    if (allowance === undefined || allowance.allowed) return;
    throw new LokiError('rate_limited', { attempted: 'answer the request', found: `more than ${allowance.limit} requests of class "${name}" in a minute` });
  }

  /** Whoever has not said who they are may look, and nothing else, whatever the path; but for a request that says it in its body. */
  #requireSafe(method: string): void {
    if (!this.#principal.anonymous || this.#route?.proven === true || method === 'GET' || method === 'HEAD') return;
    throw new LokiError('auth.required', { attempted: 'accept the request', found: `${JSON.stringify(method.slice(0, 20))} needs a principal` });
  }

  #permit(route: Route): void {
    if (route.scope === 'none' || route.proven === true || holds(this.#principal, route.scope)) return;
    const code = this.#principal.anonymous ? 'auth.required' : 'auth.forbidden';
    throw new LokiError(code, { attempted: 'accept the request', found: `it needs the scope "${route.scope}", and ${this.#principal.actor} does not have it` });
  }

  /** What other methods a path has; for a listed site's page also that it may use them. */
  #options(allowed: string): HttpResponse {
    const cors: Record<string, string> = this.#admitted?.crossOrigin === undefined ? {} : {
      'Access-Control-Allow-Methods': allowed, 'Access-Control-Allow-Headers': acceptedHeaders, 'Access-Control-Max-Age': '600',
    };
    return { status: 204, headers: { Allow: allowed, ...cors } };
  }

  async #handle(route: Route, params: ReadonlyMap<string, string>, admitted: Admitted): Promise<HttpResponse> {
    for (const [name, kind] of Object.entries(route.params)) {
      if (isId(kind, params.get(name) ?? '')) continue;
      throw new LokiError('request.invalid', { attempted: 'read the path', found: `"${(params.get(name) ?? '').slice(0, 80)}" is not an id of the kind "${kind}"` });
    }
    const { address, method, signal } = this.#request;
    const query = readQuery(admitted.query, route.query);
    const takesBody = route.method === 'POST' || route.method === 'PUT';
    if (!takesBody) refuseBody(this.#request);
    const body = takesBody && route.readsBody !== true ? await readJsonBody(this.#request, admitted.headers) : undefined;
    return route.handle({
      method, path: admitted.path, version: route.version, params, query, headers: admitted.headers, body,
      principal: this.#principal, requestId: this.#requestId, address, signal,
      readText: (limit) => readJsonText(this.#request, admitted.headers, limit), patience: (milliseconds) => this.#request.patience?.(milliseconds),
    });
  }

  #headers(own: Readonly<Record<string, string>>): Record<string, string> {
    const { services, options } = this.#parts;
    const headers = placeHeaders(this.#request.secure, options);
    if (this.#admitted?.crossOrigin !== undefined) {
      headers['Access-Control-Allow-Origin'] = this.#admitted.crossOrigin;
      headers['Access-Control-Expose-Headers'] = exposedHeaders;
    }
    const varies = [headers['Vary'], own['Vary']].filter((one) => one !== undefined).join(', ');
    return Object.assign(headers, allowanceFields(this.#allowance, services.clock), own, varies === '' ? {} : { Vary: varies }, { 'X-Request-Id': this.#requestId });
  }

  /** Requests over the limit are counted by their answers only: recording each would let a flood fill the log. */
  #record({ status, body }: HttpResponse, error: unknown): void {
    if (status === 429) return;
    const { clock, record } = this.#parts.services;
    const details: JsonObject = {
      request_id: this.#requestId, method: this.#request.method.slice(0, 20), path: (this.#admitted?.path ?? this.#request.target).slice(0, 256),
      route: this.#route?.path ?? null, status, duration_ms: Math.round(clock.monotonic() - this.#startedAt), address: this.#request.address,
      ...(this.#via === undefined ? {} : { via: this.#via }),
    };
    const actor = this.#principal.actor;
    const send = (event: 'api.request' | 'api.response' | 'api.error' | 'auth.denied' | 'auth.fail', more: JsonObject): void => {
      note(record, { event, actor, details: { ...details, ...more } });
    };
    const isApi = details['route'] === null ? String(details['path']).startsWith('/api') : this.#route?.audit === true;
    if (isApi) send('api.request', {});
    if (isApi && this.#parts.options.recordResponses === true) send('api.response', { bytes: body === undefined ? null : Buffer.byteLength(body) });
    if (status === 401 || status === 403) send(this.#sentToken() && status === 401 ? 'auth.fail' : 'auth.denied', { reason: messageOf(error).slice(0, longestReason) });
    if (status >= 500 && !this.#request.signal.aborted && error !== undefined) send('api.error', { reason: messageOf(error).slice(0, longestReason) });
  }

  #sentToken(): boolean {
    return this.#admitted?.headers.has('authorization') ?? false;
  }
}
