/**
 * The API, put together: door, router, callers, allowances and routes around the services. What becomes of one request is in
 * `exchange.ts`.
 */
import { LokiError, messageOf, type ErrorCode } from '../errors.ts';
import type { HttpHandler } from '../base/http.ts';
import { newId } from '../base/ids.ts';
import { noTracer } from '../base/trace.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createClientOf } from './client-address.ts';
import { createDoor, type DoorOptions } from './door.ts';
import { Exchange, longestReason, note, type Parts } from './exchange.ts';
import { createIdempotency } from './idempotency.ts';
import type { Row } from './message.ts';
import { createCursors } from './page.ts';
import { allowanceHeaders, callerOf, createRateLimiter } from './rate-limit.ts';
import { answerHeaders, problemResponse } from './respond.ts';
import { route, routeTable } from './route-table.ts';
import { createRouter } from './router.ts';
import { countRequest } from './request-counts.ts';
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
  /** 32 bytes that this installation alone has: cursors are sealed under them. */
  readonly secret: Uint8Array;
  /** Rows beside the ones of the control plane. */
  readonly moreRoutes?: readonly Row[];
}

export interface Api extends HttpHandler {
  /** From now on not ready; every event stream says goodbye and ends. Ordinary requests are still answered. */
  drain(): void;
  /** Event streams that are open now. */
  openStreams(): number;
  /** Forgets the answers of keyed requests that are too old to be sent again. */
  sweep(): Promise<void>;
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
  const { metrics } = services.metrics;
  metrics.beforeReading(() => metrics.set('loki_http_event_streams', streams.count()));
  let draining = false;
  const table = [...routeTable(services, streams, () => draining), ...(options.moreRoutes ?? []).map((row) => route(row, row.path, 1))];
  const idempotency = createIdempotency(services.store, services.clock);
  const parts: Parts = {
    services, idempotency,
    cursors: createCursors(options.secret, services.random),
    ...(services.tracer === noTracer ? {} : { tracer: services.tracer }),
    varies: options.corsOrigins.length > 0, recordResponses: options.recordResponses === true, answered: (told) => countRequest(metrics, told),
    door: createDoor(options),
    router: createRouter(table),
    authenticate: createAuthenticate({
      required: options.authentication, projectOfHook: (token) => services.hooks.projectOf(token), tokens: [...services.tokens, (token) => services.signOn.principalOfToken(token)],
      session: (cookie) => services.signOn.principalOfCookie(cookie), ...(options.localToken === undefined ? {} : { localToken: options.localToken }),
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
      countRequest(metrics, { method: '', route: undefined, status });
      const { code, found } = malformations[status] ?? malformations[400];
      const problem = problemResponse(new LokiError(code, { attempted: 'read the request', found }), requestId, {}, status);
      const allowance = allowanceHeaders(parts.limiter(callerOf(address), 'read', 1), services.clock.now());
      return { ...problem, headers: answerHeaders(requestId, { secure, varies: parts.varies }, allowance, problem.headers) };
    },
    drain() {
      draining = true;
      streams.drain();
    },
    openStreams: () => streams.count(),
    sweep: () => idempotency.sweep(),
  };
}

/** Request ids. Asking the system for randomness costs more than the rest of a small request, so it is asked for many at once. */
function requestIds({ clock, random }: Pick<Services, 'clock' | 'random'>): () => string {
  const each = 10;
  let bytes: Uint8Array = new Uint8Array();
  let used = 0;
  return () => {
    if (used === bytes.length) [bytes, used] = [random.bytes(512 * each), 0];
    used += each;
    return newId('request', clock.now(), bytes.subarray(used - each, used));
  };
}

/** A token at work from one address is told of this often; each request is recorded as such anyway. */
const useToldEveryMs = 3_600_000;
const mostUses = 1000;

/** Says whether a use of a token from an address is worth telling again. */
function createUses({ monotonic }: Services['clock']): Parts['newUse'] {
  const told = new Map<string, number>();
  return (caller, address) => {
    const key = `${caller} ${address}`;
    const last = told.get(key);
    if (last !== undefined && monotonic() - last < useToldEveryMs) return false;
    if (told.size >= mostUses) told.clear();
    told.set(key, monotonic());
    return true;
  };
}
