/** What handlers take and return: a checked request and an answer, both plain objects; and the rows of the route table. */
import type { AuditEvent } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import type { HttpResponse } from '../base/http.ts';
import type { IdKind } from '../base/ids.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
import type { Store } from '../store/store.ts';
import type { CommitWith } from './idempotency.ts';
import type { Cursors } from './page.ts';
import type { Principal, Scope } from './principal.ts';
import type { QueryRules } from './query.ts';
import type { Shape } from './shape.ts';

/** A request that passed the door, found its route and was allowed in. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Which presentation is asked for: v1 gives bare arrays with offsets, v2 pages with cursors. */
  readonly version: 1 | 2;
  readonly params: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** The JSON body, which fits the route's shape; undefined on routes that take none, or read it themselves. */
  readonly body: JsonValue | undefined;
  /** The body of a route that reads it itself: JSON in UTF-8, not yet looked into. */
  readText(limit: number): Promise<string>;
  /** The fields of a body of a route that reads it itself: an HTML form, each field once. */
  readForm(limit: number): Promise<ReadonlyMap<string, string>>;
  /** Keeps the connection open though nothing moves on it for so long. */
  patience(milliseconds: number): void;
  readonly principal: Principal;
  readonly requestId: string;
  /** Its span, where requests are traced. */
  readonly trace: SpanContext | undefined;
  /** Address of the client. */
  readonly address: string;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Whether whoever asks would be let in again now: a key may have been revoked since, a session ended, a tenant removed. */
  stillAllowed(): Promise<boolean>;
  /** The whole store: what a principal may see of it is asked through `objects.ts`. */
  readonly store: Store;
  readonly cursors: Cursors;
  /** Changes the store, and keeps the answer for a request that is sent again. */
  readonly commit: CommitWith;
  /** Records what the request changes, as its principal and under the tenant it happens in. Resolves as durable as the event is. */
  changed(event: EventName, about: Change): Promise<void>;
}

/** What a change is about. */
export interface Change extends Pick<AuditEvent, 'resource'> {
  readonly tenant: string | null;
  readonly details: JsonObject;
  readonly projectId?: string;
}

export type ApiResponse = HttpResponse;

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a route answers when all goes well. */
export interface Answer {
  readonly status: number;
  readonly about: string;
  /** Of JSON; for a list, of one item. */
  readonly shape?: Shape<unknown>;
  /** Where it is no JSON. */
  readonly media?: string;
  /** Other answers that are no problems; without a shape they have no body. */
  readonly also?: readonly Pick<Answer, 'status' | 'about' | 'shape'>[];
}

/** One row of the route table. */
export interface Route {
  readonly method: Method;
  /** Literal segments and `:name` parameters. */
  readonly path: string;
  readonly version: 1 | 2;
  /** `runs.cancel`: what clients call it. The same in both presentations. */
  readonly operation: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** `none`: anybody who passes the door. */
  readonly scope: Scope | 'none';
  /** `installation`: for administrators of the installation alone, whatever scopes a tenant's key has. */
  readonly reach: 'tenant' | 'installation';
  /** The body carries a signed proof of who asks, which the handler checks: neither a principal nor the scope is needed beside it. */
  readonly proven?: true;
  /** Whether its handler reads the body, when it has room for it, and as the text it is. */
  readonly readsBody?: true;
  /** Whether it is for those who have not said who they are yet. */
  readonly greets?: true;
  /** Whether its answer is about who asks, though anybody may: a token that does not count is refused, as if a scope were needed. */
  readonly aboutCaller?: true;
  /** Whether each use is recorded as `api.request`. */
  readonly audit: boolean;
  /** What is recorded of what it changes. */
  readonly records: readonly EventName[];
  /** Which allowance a use is taken from. */
  readonly rate: RateClass;
  /** The kind of id each parameter must be. */
  readonly params: Readonly<Record<string, IdKind>>;
  readonly query: QueryRules;
  /** Others may add parameters that we do not know; they are left aside. */
  readonly openQuery?: true;
  readonly body?: Shape<unknown>;
  /** Bytes of a body, at most. */
  readonly bodyLimit: number;
  readonly answer: Answer;
  /** Whether it answers a page of a list. */
  readonly paged: boolean;
  /** Takes an Idempotency-Key. `commit`: what it changes is one transaction; `steps`: it is more than that. */
  readonly keyed?: 'commit' | 'steps';
  /** May be opened by following a link on another site. Only for pages that change and reveal nothing by being opened. */
  readonly navigable: boolean;
  readonly handle: Handler;
}

export type RateClass = 'read' | 'write' | 'auth' | 'exempt';

/** What a row says of a route; the rest is usual. */
export interface Row extends Pick<Route, 'method' | 'path' | 'operation' | 'summary' | 'scope' | 'answer' | 'handle'>, Partial<Omit<Route, 'version' | 'method' | 'path' | 'operation' | 'summary' | 'scope' | 'answer' | 'handle'>> {}

/** A row's body and the handler that takes it as what it was found to be. */
export function taking<T>(body: Shape<T>, handle: (request: ApiRequest, body: T) => Promise<ApiResponse>): Pick<Row, 'body' | 'handle'> {
  return { body, handle: (request) => handle(request, request.body as T) };
}
