/**
 * One request from the door to the answer: door, route, caller, allowance, permission, parameters, handler, record. Decides
 * who may go on at each step; trusts nothing before its step has passed; whatever goes wrong becomes a problem document,
 * never a stack. Recording requests is best effort: reads change nothing, and the log of record must not be a way to stop them.
 */
import { LokiError, messageOf } from '../errors.ts';
import type { AuditEvent, Recorder } from '../audit/entry.ts';
import type { HttpRequest, HttpResponse } from '../base/http.ts';
import { isId } from '../base/ids.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { Span, SpanContext, Tracer } from '../base/trace.ts';
import type { Authenticate, Credentials } from './auth/authenticate.ts';
import { CheckedRequest, over, type Checked } from './checked-request.ts';
import { cameThroughProxy, type ClientOf } from './client-address.ts';
import { requireOwnPage } from './auth/same-origin.ts';
import { checkFollowedLink, type Admitted, type Door } from './door.ts';
import { parseBody, readJsonText, refuseBody } from './body.ts';
import type { Idempotency } from './idempotency.ts';
import type { ApiRequest, Route } from './message.ts';
import type { Cursors } from './page.ts';
import { holds, stranger, type Principal } from './principal.ts';
import { allowanceHeaders, callerOf, countedAs, type Allowance, type RateLimiter } from './rate-limit.ts';
import { readQuery } from './query.ts';
import type { CountedRequest } from './request-counts.ts';
import { endRequestSpan, startRequestSpan } from './request-span.ts';
import { answerHeaders, problemResponse } from './respond.ts';
import type { Router } from './router.ts';
import type { Services } from './services.ts';
import { fitting } from './shape.ts';

/** What every exchange is given. */
export interface Parts {
  readonly services: Services;
  readonly door: Door;
  readonly router: Router;
  readonly authenticate: Authenticate;
  readonly limiter: RateLimiter;
  readonly idempotency: Idempotency;
  readonly cursors: Cursors;
  /** Whether a use of a token from an address is worth telling again. */
  readonly newUse: (caller: string, address: string) => boolean;
  /** What a proxy in front says of the client, when its word counts. */
  readonly clientOf: ClientOf;
  /** Whether answers depend on the page that asks. */
  readonly varies: boolean;
  /** Whether each answer is recorded as well, as `api.response`. */
  readonly recordResponses: boolean;
  /** Left out: requests are not traced. */
  readonly tracer?: Tracer;
  /** Hears of every request once it is answered. */
  readonly answered: (told: CountedRequest) => void;
}

export const longestReason = 1024;

/** Records without waiting, and goes on when it cannot be recorded. */
export function note(record: Recorder, event: AuditEvent, context?: SpanContext): void {
  try {
    record(event, context).catch(() => undefined);
  } catch {
    // As above: what has been answered must not fail for its record.
  }
}

/** What a listed site's page may send, and may read of an answer, beside what any page may. */
const acceptedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID';
const exposedHeaders = 'ETag, Link, Location, X-Request-Id, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Idempotency-Replayed';

/** A request being answered: what is known of it so far, for the answer's headers and the record. */
export class Exchange {
  readonly #parts: Parts;
  readonly #request: HttpRequest;
  readonly #requestId: string;
  readonly #startedAt: number;
  /** The listed proxy that it came through. */
  readonly #via: string | undefined;
  #principal: Principal = stranger;
  #admitted: Admitted | undefined;
  #route: Route | undefined;
  /** What its caller's allowance came to; unset while nothing was taken from one. */
  #allowance: { readonly left: Allowance | undefined } | undefined;
  #extra: Record<string, string> = {};
  /** From where a handler begins; of a request that is refused before, only once it is answered. */
  #span: Span | undefined;

  constructor(parts: Parts, request: HttpRequest, requestId: string) {
    this.#parts = parts;
    const client = parts.clientOf(request);
    this.#request = client === undefined ? request : over(request, { address: client.address, secure: client.secure });
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
      const seen = this.#request.signal.aborted ? new LokiError('interrupted', { attempted: 'answer the request', found: 'the client has gone' }) : this.#paidFor(error);
      response = problemResponse(seen, this.#requestId, this.#extra);
      this.#record(response, seen === error || this.#request.signal.aborted ? error : seen);
    }
    return { ...response, headers: this.#headers(response.headers) };
  }

  async #respond(): Promise<HttpResponse> {
    const admitted = this.#enter();
    const { method } = this.#request;
    const match = this.#parts.router(method, admitted.path);
    if (match.kind === 'found') this.#route = match.route;
    await this.#identify(admitted);
    const preflight = method === 'OPTIONS' && match.kind === 'method';
    const rate = this.#route?.rate ?? (isSafe(method) ? 'read' : 'write');
    if (rate !== 'exempt') this.#take(rate);
    checkFollowedLink(admitted, this.#route?.navigable ?? false);
    if (preflight) return this.#options(match.allowed);
    this.#requireSafe(method, admitted);
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
      this.#take('read');
      throw error;
    }
  }

  /**
   * A wrong token is paid for from an allowance of its own; right ones are never held up by it. Where nobody needs one it keeps
   * nobody out, and is paid for and told all the same; what answers everybody all the time does not look at who asks.
   */
  async #identify({ headers }: Admitted): Promise<void> {
    const { address } = this.#request;
    const anybody = this.#route?.scope === 'none' && this.#route.aboutCaller !== true;
    if (anybody && this.#route?.rate === 'exempt') return;
    try {
      this.#principal = await this.#parts.authenticate(this.#credentials(headers));
    } catch (error) {
      this.#take('auth');
      if (!anybody) throw error;
      note(this.#parts.services.record, { event: 'auth.fail', actor: stranger.actor, details: { request_id: this.#requestId, address, reason: messageOf(error).slice(0, longestReason) } });
    }
    const { actor, anonymous } = this.#principal;
    if (anonymous || !this.#parts.newUse(countedAs(this.#principal, address), address)) return;
    note(this.#parts.services.record, { event: 'auth.token.use', actor, resource: actor, details: { request_id: this.#requestId, address }, ...this.#ofTenant() });
  }

  #credentials(headers: Admitted['headers']): Credentials {
    return { authorization: headers.get('authorization'), cookie: headers.get('cookie'), address: this.#request.address, proxied: this.#via !== undefined || cameThroughProxy(headers) };
  }

  /** Asked while an answer goes on for long. Who asks must still be the same, with the same right. */
  async #stillAllowed(route: Route, { headers }: Admitted): Promise<boolean> {
    const { actor, tenant, kind } = this.#principal;
    const now = await this.#parts.authenticate(this.#credentials(headers)).catch(() => undefined);
    return now !== undefined && now.actor === actor && now.tenant === tenant && now.kind === kind && (route.scope === 'none' || holds(now, route.scope));
  }

  #take(name: Allowance['name']): void {
    const allowance = this.#parts.limiter(countedAs(this.#principal, this.#request.address), name, 1);
    this.#allowance = { left: allowance };
    if (allowance === undefined || allowance.allowed) return;
    this.#parts.services.metrics.metrics.add('loki_http_rate_limited_total', 1, [name]);
    throw new LokiError('rate_limited', { attempted: 'answer the request', found: `more than ${allowance.limit} requests of class "${name}" in a minute` });
  }

  /** What is exempt is so when it is answered: what is refused is paid for, so that what it makes us record is bounded. */
  #paidFor(error: unknown): unknown {
    if (this.#route?.rate !== 'exempt' || this.#route.scope === 'none') return error;
    try {
      this.#take('read');
      return error;
    } catch (limited) {
      return limited;
    }
  }

  /**
   * Whoever has not said who they are may look, and nothing else, whatever the path; but for a request that says it in its body,
   * or comes to say it. A browser's session changes something only for pages of our own.
   */
  #requireSafe(method: string, { headers }: Admitted): void {
    if (isSafe(method)) return;
    const { anonymous, kind } = this.#principal;
    if (anonymous && this.#route?.proven !== true && this.#route?.greets !== true) throw new LokiError('auth.required', { attempted: 'accept the request', found: `${JSON.stringify(method.slice(0, 20))} needs a principal` });
    if (kind === 'session') requireOwnPage(method, headers, this.#request.secure || this.#parts.services.signOn.secure);
  }

  #permit(route: Route): void {
    if (route.scope === 'none' || route.proven === true) return;
    const { anonymous, actor, tenant } = this.#principal;
    const code = anonymous ? 'auth.required' : 'auth.forbidden';
    if (!holds(this.#principal, route.scope)) throw new LokiError(code, { attempted: 'accept the request', found: `it needs the scope "${route.scope}", and ${actor} does not have it` });
    if (route.reach === 'installation' && tenant !== null) throw new LokiError('auth.forbidden', { attempted: 'accept the request', found: `it is for administrators of the installation, and ${actor} belongs to a tenant` });
  }

  /** What other methods a path has; for a listed site's page also that it may use them. */
  #options(allowed: string): HttpResponse {
    const cors: Record<string, string> = this.#admitted?.crossOrigin === undefined ? {} : {
      'Access-Control-Allow-Methods': allowed, 'Access-Control-Allow-Headers': acceptedHeaders, 'Access-Control-Max-Age': '600',
    };
    return { status: 204, headers: { Allow: allowed, ...cors } };
  }

  async #handle(route: Route, params: ReadonlyMap<string, string>, admitted: Admitted): Promise<HttpResponse> {
    if (route.audit) this.#span = this.#startSpan();
    checkParams(route, params);
    const query = readQuery(admitted.query, route.query, route.openQuery === true);
    const { text, value } = await this.#body(route, admitted);
    const { idempotency, services } = this.#parts;
    const key = route.keyed === undefined ? undefined : admitted.headers.get('idempotency-key');
    if (key === undefined) return route.handle(this.#apiRequest(route, { params, query, admitted, body: value, commit: (checks, changes) => services.store.transact(checks, changes) }));
    const keyed = { principal: this.#principal, method: route.method, path: admitted.path, sent: `${admitted.query}\n${text}`, key };
    return idempotency.once(keyed, route.keyed === 'commit', (commit) => route.handle(this.#apiRequest(route, { params, query, admitted, body: value, commit })));
  }

  async #body(route: Route, { headers }: Admitted): Promise<{ readonly text: string; readonly value: JsonValue | undefined }> {
    if (route.readsBody === true) return { text: '', value: undefined };
    if (route.body === undefined) {
      refuseBody(this.#request);
      return { text: '', value: undefined };
    }
    const text = this.#request.hasBody ? await readJsonText(this.#request, headers, route.bodyLimit) : '{}';
    return { text, value: fitting(route.body, parseBody(text), 'read the body') as JsonValue };
  }

  #apiRequest(route: Route, checked: Checked): ApiRequest {
    const { services: { store, record }, cursors } = this.#parts;
    const stillAllowed = (): Promise<boolean> => this.#stillAllowed(route, checked.admitted);
    return new CheckedRequest(checked, { version: route.version, http: this.#request, principal: this.#principal, requestId: this.#requestId, trace: this.#span?.context, store, record, cursors, stillAllowed });
  }

  #headers(own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { services: { clock }, varies, limiter } = this.#parts;
    // Where nothing was taken, a caller is still told what its address has.
    const allowance = this.#allowance === undefined ? limiter(callerOf(this.#request.address), 'read', 0) : this.#allowance.left;
    const headers = answerHeaders(this.#requestId, { secure: this.#request.secure, varies }, allowanceHeaders(allowance, clock.now()), own);
    const crossOrigin = this.#admitted?.crossOrigin;
    return crossOrigin === undefined ? headers : { 'Access-Control-Allow-Origin': crossOrigin, 'Access-Control-Expose-Headers': exposedHeaders, ...headers };
  }

  #startSpan(): Span | undefined {
    const { tracer, services: { clock } } = this.#parts;
    if (tracer === undefined) return undefined;
    const { method, secure } = this.#request;
    return startRequestSpan(tracer, {
      principal: this.#principal, headers: this.#admitted?.headers, method, route: this.#route?.path, secure, requestId: this.#requestId,
      startTime: clock.now() - (clock.monotonic() - this.#startedAt),
    });
  }

  /**
   * Requests over the limit are counted by their answers only: recording each would let a flood fill the log. What is recorded is traced;
   * an answer that is a stream was given with its first byte.
   */
  #record({ status, body, stream }: HttpResponse, error: unknown): void {
    const { services: { clock, record }, answered, recordResponses } = this.#parts;
    const durationMs = clock.monotonic() - this.#startedAt;
    answered({ method: this.#request.method, route: this.#route?.path, status, seconds: durationMs / 1000 });
    const isApi = this.#route === undefined ? this.#path().startsWith('/api') : this.#route.audit;
    const span = this.#span ?? (isApi && status !== 429 ? this.#startSpan() : undefined);
    if (span !== undefined) endRequestSpan(span, { status, stream: stream !== undefined, error, isGone: this.#request.signal.aborted });
    if (status === 429) return;
    if (!isApi && status < 400) return;
    const details: JsonObject = {
      request_id: this.#requestId, method: this.#request.method.slice(0, 20), path: this.#path().slice(0, 256),
      route: this.#route?.path ?? null, status, duration_ms: Math.round(durationMs), address: this.#request.address,
      ...(this.#via === undefined ? {} : { via: this.#via }),
    };
    const { actor } = this.#principal;
    const send = (event: 'api.request' | 'api.response' | 'api.error' | 'auth.denied' | 'auth.fail', more?: JsonObject): void => {
      note(record, { event, actor, details: more === undefined ? details : { ...details, ...more }, ...this.#ofTenant() }, span?.context);
    };
    if (isApi) send('api.request');
    if (isApi && recordResponses) send('api.response', { bytes: body === undefined ? null : Buffer.byteLength(body) });
    if (status === 401 || status === 403) send(this.#showedWho() && status === 401 ? 'auth.fail' : 'auth.denied', { reason: messageOf(error).slice(0, longestReason) });
    if (status >= 500 && !this.#request.signal.aborted && error !== undefined) send('api.error', { reason: messageOf(error).slice(0, longestReason) });
  }

  /** Never with the query: an identity provider's code may stand there, also in a request that the door refused. */
  #path(): string {
    return this.#admitted?.path ?? this.#request.target.replace(/\?.*$/s, '');
  }

  #ofTenant(): Pick<AuditEvent, 'metadata'> {
    const { tenant } = this.#principal;
    return tenant === null ? {} : { metadata: { tenant_id: tenant } };
  }

  #showedWho(): boolean {
    return this.#admitted?.headers.has('authorization') ?? false;
  }
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function checkParams(route: Route, params: ReadonlyMap<string, string>): void {
  for (const [name, kind] of Object.entries(route.params)) {
    const value = params.get(name) ?? '';
    if (!isId(kind, value)) throw new LokiError('request.invalid', { attempted: 'read the path', found: `"${value.slice(0, 80)}" is not an id of the kind "${kind}"` });
  }
}
