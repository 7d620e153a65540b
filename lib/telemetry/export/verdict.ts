/**
 * What a receiver's answer means for what was sent: taken, to be tried again, too large, or refused. By the status alone (opentelemetry-proto,
 * docs/specification.md, "OTLP/HTTP Response"); what else it says is for people, and not believed: bounded, printable, without our own secrets.
 */
import { isPlainObject, objectIn, type JsonObject } from '../../base/json.ts';
import { percentDecoded } from '../../base/otlp-endpoint.ts';
import type { ExportAnswer } from '../../base/telemetry-ports.ts';
import type { Signal } from '../batch.ts';
import { retryAfterMs } from './pause.ts';

export type Verdict =
  /** `rejected` items of it are not; `warning`: what it said beside. */
  | { readonly kind: 'taken'; readonly words: string; readonly rejected: number; readonly warning?: string }
  | { readonly kind: 'again'; readonly words: string; readonly askedMs?: number }
  | { readonly kind: 'too_large'; readonly words: string }
  /** `ofBatch`: it is about what was sent, so something else may well be taken. */
  | { readonly kind: 'refused'; readonly words: string; readonly ofBatch: boolean };

/** What may be tried again; everything else must not be. */
export const retryable: readonly number[] = [429, 502, 503, 504];

/** What a status mostly comes from. */
const causes: { readonly [status: number]: string } = {
  400: 'it cannot read what it was sent', 401: 'it wants credentials; check the headers', 403: 'the credentials that it was sent are not enough; check the headers',
  404: 'nothing is at that path; a base endpoint gets /v1/traces, /v1/metrics or /v1/logs added, the endpoint of one signal is called as it is', 405: 'it takes no POST at that path; check the endpoint',
  407: 'a proxy stands between, and it wants credentials', 408: 'it waited too long for what it was sent', 413: 'that is more than it takes at once', 415: 'it takes no JSON there; OTLP/HTTP with JSON must be enabled',
  422: 'it cannot use what it was sent', 429: 'it is sent too much', 500: 'it failed', 501: 'it does not do that', 502: 'what stands before it does not reach it', 503: 'it is overloaded or starting', 504: 'what stands before it had no answer from it',
};

const redirected = 'redirects are not followed; name the address it leads to';
/** Those that speak of what was sent; the others speak of the address, the credentials or the receiver. */
const ofBatch: readonly number[] = [400, 422];

/** How messages of partial success count, by signal. */
const rejectedMembers: { readonly [signal in Signal]: string } = { traces: 'rejectedSpans', metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords' };

/** `items`: how many were sent. `secrets` never stand in what is said. */
export function judge(answer: ExportAnswer, signal: Signal, items: number, secrets: readonly string[], nowMs: number): Verdict {
  if (answer.kind === 'unreachable') return { kind: 'again', words: said(answer.message, secrets) };
  if (answer.kind === 'overrun') return { kind: 'refused', words: said(`${answer.message}; whether it took what was sent is not known`, secrets), ofBatch: false };
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return taken(status, body, headers.get('content-type') ?? '', signal, items, secrets);
  const cause = causes[status] ?? (status >= 300 && status < 400 ? redirected : undefined);
  const message = messageIn(body, headers.get('content-type') ?? '');
  const words = said([`it answered ${status}`, ...(cause === undefined ? [] : [cause]), ...(message === '' ? [] : [`it says: ${message}`])].join('; '), secrets);
  if (status === 413) return { kind: 'too_large', words };
  if (!retryable.includes(status)) return { kind: 'refused', words, ofBatch: ofBatch.includes(status) };
  const askedMs = retryAfterMs(headers.get('retry-after'), nowMs);
  return { kind: 'again', words, ...(askedMs === undefined ? {} : { askedMs }) };
}

function taken(status: number, body: string, type: string, signal: Signal, items: number, secrets: readonly string[]): Verdict {
  const message = parsed(body);
  if (message === undefined) {
    // Some receivers say nothing at all, which is enough; a page is what a login or a wrong address answers.
    const warning = body.trim() === '' || status === 204 ? undefined : `it answered ${status} with ${looksLikePage(body, type) ? 'a web page' : body.length > longestParsed ? 'more than is read' : 'what is no JSON'}; check that the endpoint is an OTLP receiver`;
    return { kind: 'taken', words: `it answered ${status}`, rejected: 0, ...(warning === undefined ? {} : { warning }) };
  }
  const { partialSuccess: partial } = message;
  if (!isPlainObject(partial)) return { kind: 'taken', words: `it answered ${status}`, rejected: 0 };
  const rejected = countIn(partial[rejectedMembers[signal]], items);
  const reason = typeof partial['errorMessage'] === 'string' && partial['errorMessage'] !== '' ? partial['errorMessage'] : undefined;
  const warning = rejected > 0 ? `it rejected ${rejected} of ${items}${reason === undefined ? '' : `: ${reason}`}` : reason;
  return { kind: 'taken', words: `it answered ${status}`, rejected, ...(warning === undefined ? {} : { warning: said(warning, secrets) }) };
}

/** 64-bit numbers are strings in OTLP/JSON; never more than were sent. */
function countIn(value: unknown, most: number): number {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? Math.min(count, most) : 0;
}

/** More of an answer is not parsed: a receiver would keep the process busy for a second with each. */
const longestParsed = 256 * 1024;

function parsed(body: string): JsonObject | undefined {
  return body.length > longestParsed ? undefined : objectIn(body);
}

/** google.rpc.Status as JSON, or a line of plain text. */
function messageIn(body: string, type: string): string {
  const status = parsed(body);
  if (status !== undefined) return typeof status['message'] === 'string' ? status['message'] : '';
  return body.trim() === '' ? '' : looksLikePage(body, type) ? 'a web page' : body.trim();
}

function looksLikePage(body: string, type: string): boolean {
  return /\bhtml\b/i.test(type) || /^\s*<(?:!doctype|html)/i.test(body.slice(0, 200));
}

const longestLooked = 4096;
const longestSaid = 300;

/** Text from outside for people: without our secrets (the longest first), without what moves a terminal, and not long. */
export function said(text: string, secrets: readonly string[]): string {
  const looked = secrets.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text.slice(0, longestLooked));
  // Where it was cut, a secret may have been cut too.
  const kept = text.length > longestLooked ? looked.slice(0, Math.max(0, looked.length - (secrets[0]?.length ?? 0))) : looked;
  const printable = kept.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return printable.length > longestSaid ? `${printable.slice(0, longestSaid - 1)}…` : printable;
}

/** Too short to be told from words that a message holds by chance. */
const shortestSecret = 6;

/** What of an endpoint must not be said: values of headers whole and by their parts (`Bearer …`), and the query of the address, as they are sent and as they read. The longest first. */
export function secretsOf({ url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> }): readonly string[] {
  const query = URL.canParse(url) ? new URL(url).search.slice(1) : '';
  const values = query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const texts = [...Object.values(headers).flatMap((value) => [value, ...value.split(/[\s,;=]+/), ...credentialsIn(value)]), query, ...values, ...values.flatMap((value) => percentDecoded(value) ?? [])];
  return [...new Set(texts)].filter((text) => text.length >= shortestSecret).toSorted((a, b) => b.length - a.length);
}

/** User and password of `Basic …` (RFC 7617 section 2), whole and by themselves. */
function credentialsIn(value: string): readonly string[] {
  const [, packed] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(value) ?? [];
  const pair = packed === undefined ? '' : Buffer.from(packed, 'base64').toString('utf8');
  return [pair, pair.slice(pair.indexOf(':') + 1)];
}
