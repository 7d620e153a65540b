/**
 * Requests that are sent twice happen once. What a keyed request was answered is kept for a day under whoever sent it, the
 * route and the key, so that no key of another principal or tenant leads to it; where the request is one change of the store, in
 * the very transaction of that change, so that a crash leaves both or neither. Another request under the same key is refused.
 */
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import type { HttpResponse } from '../base/http.ts';
import { statusOf } from '../formats/problem.ts';
import type { Clock } from '../ports.ts';
import type { Store, StoreChange, StoreCheck, StoreEntry, StoreOutcome } from '../store/store.ts';
import { tenantPrefix } from '../store/tenant-view.ts';
import type { Principal } from './principal.ts';

/** How long an answer is kept. */
export const keptMs: number = 24 * 3_600_000;

const keys = 'idempotency/';
/** Larger answers are not given by requests that change something. */
const longestAnswer = 256 * 1024;

/** A keyed request, as far as it is told from others. */
export interface KeyedRequest {
  readonly principal: Principal;
  readonly method: string;
  readonly path: string;
  /** The query as sent, and the body. */
  readonly sent: string;
  /** The value of the Idempotency-Key field. */
  readonly key: string;
}

/** Writes a change of the store, and with it what the request is answered. */
export type CommitWith = (checks: readonly StoreCheck[], changes: readonly StoreChange[], answer: HttpResponse | 'told once') => Promise<StoreOutcome>;

export interface Idempotency {
  /** Does the work once. `atomic`: the work writes through `commit`, or fails and changes nothing. */
  once(request: KeyedRequest, atomic: boolean, work: (commit: CommitWith) => Promise<HttpResponse>): Promise<HttpResponse>;
  /** Removes what is older than a day. */
  sweep(): Promise<void>;
}

/** Somebody else wrote the record of this key meanwhile. */
class Overtaken extends Error {}

export function createIdempotency(store: Store, clock: Pick<Clock, 'now'>): Idempotency {
  const running = new Set<string>();

  const record = (state: JsonObject, sent: string): JsonObject => ({ request: sha256Hex(sent), at: new Date(clock.now()).toISOString(), ...state });

  async function attempt(at: string, { sent }: KeyedRequest, atomic: boolean, work: (commit: CommitWith) => Promise<HttpResponse>): Promise<HttpResponse> {
    const entry = await store.get(at);
    const known = entry === undefined ? undefined : answered(entry, sent, clock.now());
    if (known !== undefined) return known;
    let revision = entry?.revision ?? 0;
    const put = async (value: JsonObject): Promise<void> => {
      const outcome = await store.transact([{ key: at, revision }], [{ key: at, value }]);
      if (!outcome.committed) throw new Overtaken();
      revision = outcome.revision;
    };
    if (!atomic) await put(record({ state: 'begun' }, sent));
    let isKept = false;
    const response = await work(async (checks, changes, answer) => {
      const outcome = await store.transact([...checks, { key: at, revision }], [...changes, { key: at, value: record(stateOf(answer), sent) }]);
      if (!outcome.committed && outcome.conflict === at) throw new Overtaken();
      isKept = outcome.committed;
      return outcome;
    }).catch(async (error: unknown) => {
      // It was refused and changed nothing: the key may be used again. Of other failures nobody knows how far they came.
      if (!atomic && error instanceof LokiError && statusOf(error) < 500) await store.transact([{ key: at, revision }], [{ key: at, value: undefined }]);
      throw error;
    });
    if (!isKept) await put(record(stateOf(response), sent));
    return response;
  }

  return {
    async once(request, atomic, work) {
      const at = placeOf(request);
      if (running.has(at)) throw stillRunning();
      running.add(at);
      try {
        return await attempt(at, request, atomic, work);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
        const entry = await store.get(at);
        const known = entry === undefined ? undefined : answered(entry, request.sent, clock.now());
        if (known !== undefined) return known;
        throw stillRunning();
      } finally {
        running.delete(at);
      }
    },
    async sweep() {
      const tenants = await store.list('tenants/', { limit: 100_000 });
      for (const prefix of ['', ...tenants.map(({ key }) => tenantPrefix(key.slice('tenants/'.length)))]) await sweepBelow(store, prefix + keys, clock.now());
    },
  };
}

function placeOf({ principal: { tenant, actor, keyId = '' }, method, path, key }: KeyedRequest): string {
  return `${tenantPrefix(tenant)}${keys}${sha256Hex(JSON.stringify([tenant, actor, keyId, method, path, keyOf(key)]))}`;
}

/** The key itself: a quoted string (draft-ietf-httpapi-idempotency-key-header), or bare as many clients send it. */
function keyOf(field: string): string {
  const key = /^"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"$/.exec(field)?.[1] ?? /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.exec(field)?.[0];
  if (key !== undefined) return key;
  throw new LokiError('request.invalid', { attempted: 'read Idempotency-Key', found: 'it is not 1 to 255 printable ASCII characters', hint: 'Send a new UUID for each new request' });
}

function stateOf(answer: HttpResponse | 'told once'): JsonObject {
  if (answer === 'told once') return { state: 'untold' };
  const { status, headers, body } = answer;
  const text = body === undefined ? null : typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  if (text !== null && text.length > longestAnswer) return { state: 'untold' };
  const { 'Content-Type': type, ETag: tag, Location: location } = headers;
  return { state: 'done', status, headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...(tag === undefined ? {} : { ETag: tag }), ...(location === undefined ? {} : { Location: location }) }, body: text };
}

/** What was answered before; undefined when that is too long ago. */
function answered({ value }: StoreEntry, sent: string, nowMs: number): HttpResponse | undefined {
  const kept = isPlainObject(value) ? value : {};
  if (nowMs - Date.parse(String(kept['at'])) > keptMs) return undefined;
  if (kept['request'] !== sha256Hex(sent)) {
    throw new LokiError('request.reused', { attempted: 'answer the request', found: 'its Idempotency-Key was sent before with another request' });
  }
  if (kept['state'] === 'begun') throw stillRunning();
  if (kept['state'] === 'untold') throw new LokiError('conflict', { attempted: 'answer the request again', found: 'it was carried out before, and what it was answered is told once only' });
  const headers = isPlainObject(kept['headers']) ? Object.fromEntries(Object.entries(kept['headers']).map(([name, text]) => [name, String(text)])) : {};
  return { status: Number(kept['status']), headers: { ...headers, 'Idempotency-Replayed': 'true' }, ...(typeof kept['body'] === 'string' ? { body: kept['body'] } : {}) };
}

function stillRunning(): LokiError {
  return new LokiError('conflict', {
    attempted: 'answer the request', found: 'a request with this Idempotency-Key was begun and has not ended', hint: 'Ask again in a moment; if it stays so, the control plane stopped in the middle: look what there is before you send it under another key',
  });
}

async function sweepBelow(store: Store, prefix: string, nowMs: number): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = await store.list(prefix, { limit: 100, ...(after === undefined ? {} : { after }) });
    const old = page.filter(({ value }) => !isPlainObject(value) || !(nowMs - Date.parse(String(value['at'])) <= keptMs));
    // One that was just used again is not old any more; the rest then waits for the next time.
    if (old.length > 0) await store.transact(old.map(({ key, revision }) => ({ key, revision })), old.map(({ key }) => ({ key, value: undefined })));
    after = page.at(-1)?.key;
    if (after === undefined) return;
  }
}
