/** What handlers take and return: a checked request and an answer, both plain objects. */
import type { HttpResponse } from '../base/http.ts';
import type { IdKind } from '../base/ids.ts';
import type { JsonValue } from '../base/json.ts';
import type { Principal, Scope } from './principal.ts';
import type { QueryRules } from './query.ts';

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
  /** The JSON body; undefined on routes that take none, or read it themselves. */
  readonly body: JsonValue | undefined;
  /** The body of a route that reads it itself: JSON in UTF-8, not yet looked into. */
  readText(limit: number): Promise<string>;
  /** Keeps the connection open though nothing moves on it for so long. */
  patience(milliseconds: number): void;
  readonly principal: Principal;
  readonly requestId: string;
  /** Address of the peer. */
  readonly address: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export type ApiResponse = HttpResponse;

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One row of the route table. */
export interface Route {
  readonly method: Method;
  /** Literal segments and `:name` parameters. */
  readonly path: string;
  readonly version: 1 | 2;
  /** `none`: anybody who passes the door. */
  readonly scope: Scope | 'none';
  /** The body carries a signed proof of who asks, which the handler checks: neither a principal nor the scope is needed beside it. */
  readonly proven?: true;
  /** Whether its handler reads the body, when it has room for it, and as the text it is. */
  readonly readsBody?: true;
  /** Whether each use is recorded as `api.request`. */
  readonly audit: boolean;
  /** Which allowance a use is taken from. */
  readonly rate: RateClass;
  /** The kind of id each parameter must be. */
  readonly params: Readonly<Record<string, IdKind>>;
  readonly query: QueryRules;
  /** May be opened by following a link on another site. Only for pages that change and reveal nothing by being opened. */
  readonly navigable: boolean;
  readonly handle: Handler;
}

export type RateClass = 'read' | 'write' | 'exempt';
