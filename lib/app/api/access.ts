/**
 * Requests to a control plane as commands make them. What it refuses becomes an error of this program: its own words, hint, mistakes
 * and exit code. A request that changes something carries an Idempotency-Key, so that it may be sent again when the connection
 * broke and nobody knows whether it arrived.
 */
import { isPlainObject, objectIn, type JsonObject } from '../../base/json.ts';
import { errorMeanings, LokiError, type ErrorCode, type Problem } from '../../errors.ts';
import { askApi, streamApi, type ApiAnswer, type ApiStream } from '../../host/api-client.ts';
import type { Installation } from '../installation.ts';
import { traceHeaders } from '../telemetry/trace-headers.ts';
import { destination, type ApiDestination, type Credential } from './place.ts';

/** One request. */
export interface ApiQuestion {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v2`, with its query. */
  readonly path: string;
  /** A verb phrase, for errors that the control plane does not word: `list the tenants`. */
  readonly attempted: string;
  readonly body?: JsonObject;
  /** The entity tag of the state that is meant. */
  readonly ifMatch?: string;
  /** It has the same effect when it is done twice, or is told twice from once. True for reading. */
  readonly isRepeatable?: boolean;
}

export interface ApiReply {
  /** Empty for an answer without one. */
  readonly object: JsonObject;
  readonly tag: string | undefined;
}

/** A control plane that can be asked. */
export interface ApiAccess extends Omit<ApiDestination, 'token' | 'place'> {
  /** Throws what it answers, `net.unreachable` when nothing answers. */
  ask(question: ApiQuestion): Promise<ApiReply>;
  /** Opens an event stream. Undefined when there is nothing more to come. Throws as `ask`. */
  stream(path: string, lastId: string | undefined, attempted: string): Promise<ApiStream | undefined>;
}

const prefix = '/api/v2';
/** Cancelling a run ends its processes first. */
const askMs = 60_000;
const streamMs = 15_000;
const tries = 2;
const betweenTriesMs = 300;
/** Of a problem document. */
const mostProblemLines = 200;

/** `given`: the address named on the command line. `signal` ends whatever is under way. */
export function openApi(installation: Installation, given: string | undefined, signal: AbortSignal): ApiAccess {
  const { host: { random, timers } } = installation;
  const { place, token, ...known } = destination(installation, given, 'reach the control plane');
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function ask({ method, path, attempted, body, ifMatch, isRepeatable = method === 'GET' }: ApiQuestion): Promise<ApiReply> {
    const headers = {
      ...authorization, ...await traceHeaders(installation), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      ...(method === 'GET' ? {} : { 'idempotency-key': Buffer.from(random.bytes(16)).toString('hex') }),
    };
    const call = { ...place, method, path: prefix + path, headers, timeoutMs: askMs, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return replyOf(await askApi(call), known, attempted);
      } catch (error) {
        if (!isRepeatable || attempt === tries || signal.aborted || !isBroken(error)) throw error;
        await timers.sleep(betweenTriesMs);
      }
    }
  }

  return {
    ...known, ask,
    async stream(path, lastId, attempted) {
      const headers = { ...authorization, ...await traceHeaders(installation), accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
      const stream = await streamApi({ ...place, method: 'GET', path: prefix + path, headers, timeoutMs: streamMs, signal });
      if (stream.status === 200 && stream.headers['content-type']?.startsWith('text/event-stream') === true) return stream;
      const lines: string[] = [];
      for await (const line of stream) if (lines.length < mostProblemLines) lines.push(line);
      if (stream.status === 204) return undefined;
      throw refusal({ status: stream.status, headers: stream.headers, body: lines.join('\n') }, known, attempted);
    },
  };
}

/** Whether nobody knows if the request arrived, or it did not. What the other side answered is no such case. */
function isBroken(error: unknown): boolean {
  return error instanceof LokiError && error.code === 'net.unreachable' && !(error instanceof StrangeAnswer);
}

/** Something answered, and it was no control plane. */
class StrangeAnswer extends LokiError {}

type Known = Pick<ApiDestination, 'where' | 'credential'>;

function replyOf(answer: ApiAnswer, known: Known, attempted: string): ApiReply {
  const { status, headers, body } = answer;
  if (status === 204) return { object: {}, tag: undefined };
  if (status !== 200 && status !== 201) throw refusal(answer, known, attempted);
  const object = objectIn(body);
  if (object === undefined) throw strange(answer, known, attempted);
  return { object, tag: headers['etag'] };
}

function strange({ status }: Pick<ApiAnswer, 'status'>, { where }: Known, attempted: string): LokiError {
  return new StrangeAnswer('net.unreachable', { attempted, found: `${where} does not answer as a control plane does (status ${status})`, hint: 'Check the address: --url, LOKI_URL, or where loki login was' });
}

/** Codes of answers whose code this version does not know. */
const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'request.invalid', 401: 'auth.required', 403: 'auth.forbidden', 404: 'not_found', 405: 'request.method', 409: 'conflict', 410: 'gone', 412: 'request.stale', 413: 'request.large', 429: 'rate_limited', 503: 'net.unreachable',
};

function refusal(answer: ApiAnswer, known: Known, attempted: string): LokiError {
  const { status, headers, body } = answer;
  const document = headers['content-type']?.startsWith('application/problem+json') === true ? objectIn(body) : undefined;
  const detail = document?.['detail'];
  if (document === undefined || typeof detail !== 'string') return strange(answer, known, attempted);
  const code = codeOf(document['code'], status);
  const [, what = attempted, found = short(detail)] = /^Cannot (.{1,300}?): (.+)$/s.exec(short(detail)) ?? [];
  const problems = problemsOf(document['errors']);
  return new LokiError(code, {
    attempted: what, found: problems.length > 1 ? `${problems.length} things are wrong` : found, hint: hintFor(code, known, document['hint'], headers['retry-after']), problems,
  });
}

function codeOf(told: unknown, status: number): ErrorCode {
  if (typeof told === 'string' && Object.hasOwn(errorMeanings, told)) return told as ErrorCode;
  return byStatus[status] ?? 'internal';
}

function problemsOf(errors: unknown): readonly Problem[] {
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, 50).filter(isPlainObject).flatMap(({ detail, hint, pointer }) => (typeof detail !== 'string' ? [] : [{
    message: short(detail), ...(typeof hint === 'string' ? { hint: short(hint) } : {}), ...(typeof pointer === 'string' ? { pointer: short(pointer) } : {}),
  }]));
}

function short(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 1999)}…` : text;
}

const notKnown: Readonly<Record<Credential, string>> = {
  none: 'Set LOKI_TOKEN to a key, or sign in with: loki login',
  LOKI_TOKEN: 'See whether the key in LOKI_TOKEN was revoked, has expired, or is of another control plane',
  login: 'Sign in again with: loki login',
  local: 'Set LOKI_TOKEN to a key: loki enterprise token generate NAME --role operator',
};

/** What to do next, on a command line. */
function hintFor(code: ErrorCode, { credential }: Known, told: unknown, retryAfter: string | undefined): string {
  if (code === 'auth.required') return notKnown[credential];
  if (code === 'auth.forbidden' && credential === 'local') return 'The token of this machine has the scopes control and audit. Make a key with: loki enterprise token generate NAME --role admin; then set LOKI_TOKEN to it';
  if (code === 'rate_limited' && retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)) return `Wait ${retryAfter} s, then run the command again`;
  return typeof told === 'string' && told !== '' ? short(told) : errorMeanings[code].hint;
}
