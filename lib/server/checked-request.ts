/**
 * A request as handlers see it: what was checked of it on its way, and what it may use. It decides nothing. What costs
 * something, the signal, is made when a handler asks for it: most never do.
 */
import type { Recorder } from '../audit/entry.ts';
import type { HttpRequest } from '../base/http.ts';
import type { JsonValue } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
import type { Store } from '../store/store.ts';
import { readFormFields, readJsonText } from './body.ts';
import type { Admitted } from './door.ts';
import type { CommitWith } from './idempotency.ts';
import type { ApiRequest } from './message.ts';
import type { Cursors } from './page.ts';
import type { Principal } from './principal.ts';

/** What was read of a request on its way to the handler. */
export interface Checked {
  readonly params: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly admitted: Admitted;
  readonly body: JsonValue | undefined;
  readonly commit: CommitWith;
}

/** Where it came from, and what answers it. */
export interface Around {
  readonly version: 1 | 2;
  readonly http: HttpRequest;
  readonly principal: Principal;
  readonly requestId: string;
  readonly trace: SpanContext | undefined;
  readonly store: Store;
  readonly record: Recorder;
  readonly cursors: Cursors;
  readonly stillAllowed: ApiRequest['stillAllowed'];
}

export class CheckedRequest implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly version: 1 | 2;
  readonly params: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: JsonValue | undefined;
  readonly principal: Principal;
  readonly requestId: string;
  readonly trace: SpanContext | undefined;
  readonly address: string;
  readonly secure: boolean;
  readonly store: Store;
  readonly cursors: Cursors;
  readonly commit: CommitWith;
  /** Not private by `#`: a request that is seen by another principal is an object over this one. */
  readonly http: HttpRequest;
  readonly record: Recorder;
  readonly stillAllowed: ApiRequest['stillAllowed'];

  constructor({ params, query, admitted, body, commit }: Checked, { version, http, principal, requestId, trace, store, record, cursors, stillAllowed }: Around) {
    this.method = http.method;
    this.path = admitted.path;
    this.version = version;
    this.params = params;
    this.query = query;
    this.headers = admitted.headers;
    this.body = body;
    this.principal = principal;
    this.requestId = requestId;
    this.trace = trace;
    this.address = http.address;
    this.secure = http.secure;
    this.store = store;
    this.cursors = cursors;
    this.commit = commit;
    this.http = http;
    this.record = record;
    this.stillAllowed = stillAllowed;
  }

  get signal(): AbortSignal {
    return this.http.signal;
  }

  // Handlers take these out of the request, so each carries its own.
  readonly readText: ApiRequest['readText'] = (limit) => readJsonText(this.http, this.headers, limit);
  readonly readForm: ApiRequest['readForm'] = (limit) => readFormFields(this.http, this.headers, limit);
  readonly patience: ApiRequest['patience'] = (milliseconds) => this.http.patience?.(milliseconds);
  readonly changed: ApiRequest['changed'] = async (event, { tenant, details, resource, projectId }) => {
    await this.record({
      event, actor: this.principal.actor, ...(resource === undefined ? {} : { resource }), details: { ...details, request_id: this.requestId },
      metadata: { ...(tenant === null ? {} : { tenant_id: tenant }), ...(projectId === undefined ? {} : { project_id: projectId }) },
    }, this.trace);
  };
}

/** The same request with some members as given. A copy would lose what is only made when it is asked for. */
export function over<T extends object>(request: T, members: Partial<T>): T {
  return Object.assign(Object.create(request), members);
}
