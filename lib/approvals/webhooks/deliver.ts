/**
 * Delivers what waits: at least once, signed (Standard Webhooks 1.0.0), through the guard of lib/base/egress.ts, with longer
 * and longer pauses. Nothing here is waited for by an action or a decision, and nothing a receiver answers decides anything:
 * of the answer only the status counts.
 */
import type { Clock, Random, Sockets } from '../../ports.ts';
import { LokiError, messageOf } from '../../errors.ts';
import type { SpanContext, Tracer } from '../../base/trace.ts';
import { isValidContext, toldContext } from '../../base/trace.ts';
import { traceparentOf } from '../../base/trace-context.ts';
import { attribute, spanNames } from '../../telemetry/names.ts';
import type { JsonObject } from '../../base/json.ts';
import { egressAddresses, egressTarget } from '../../base/egress.ts';
import type { EgressRules } from '../../base/egress.ts';
import { webhookHeaders } from '../../base/webhook-signature.ts';
import { drop, readWaiting, waitingNames, write } from './spool.ts';
import type { SpoolPlace, Waiting } from './spool.ts';

export interface DeliveryEvent {
  readonly event: 'integration.deliver' | 'integration.fail';
  readonly actor: string;
  readonly resource: string;
  readonly details: JsonObject;
}

export interface DeliverOptions {
  readonly spool: SpoolPlace;
  readonly sockets: Pick<Sockets, 'resolve' | 'post'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: EgressRules;
  /** Those a message is signed with, the newest first. */
  readonly secrets: () => readonly Uint8Array[];
  /** Told, not required. */
  readonly record: (event: DeliveryEvent) => Promise<unknown>;
  readonly tracer: Tracer;
  readonly userAgent: string;
}

export interface DeliverReport {
  readonly delivered: number;
  /** Messages that wait for another attempt. */
  readonly waiting: number;
  /** Messages that are not tried any more. */
  readonly givenUp: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Pauses after the first attempt, the second and so on: three days in all. The schedule of Standard Webhooks. */
const pauses: readonly number[] = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
/** A receiver may ask for a longer pause, up to a day. */
const longestPauseMs = 24 * hour;
const timeoutMs = 15 * second;
const atOnce = 8;
const longestTrouble = 300;

/** Sends what is due. `all`: also what is not due yet, or was given up. */
export async function deliverDue(options: DeliverOptions, { all = false, signal }: { readonly all?: boolean; readonly signal?: AbortSignal } = {}): Promise<DeliverReport> {
  const now = options.clock.now();
  const found = waitingNames(options.spool).map((name) => readWaiting(options.spool, name)).filter((each) => each !== undefined);
  const due = found.filter(({ nextTry }) => all || (nextTry !== null && nextTry <= now));
  const lines = [...byUrl(due).values()];
  let delivered = 0;
  const serve = async (): Promise<void> => {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) delivered += await deliverLine(options, line, signal);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, lines.length) }, serve));
  const left = waitingNames(options.spool).map((name) => readWaiting(options.spool, name)).filter((each) => each !== undefined);
  const givenUp = left.filter(({ nextTry }) => nextTry === null).length;
  return { delivered, waiting: left.length - givenUp, givenUp };
}

/** Messages of one receiver go one after the other; after one that fails the rest waits too. */
async function deliverLine(options: DeliverOptions, line: readonly Waiting[], signal: AbortSignal | undefined): Promise<number> {
  let delivered = 0;
  for (const waiting of line) {
    if (signal?.aborted === true || !await deliver(options, waiting)) return delivered;
    delivered += 1;
  }
  return delivered;
}

function byUrl(all: readonly Waiting[]): ReadonlyMap<string, readonly Waiting[]> {
  const lines = new Map<string, Waiting[]>();
  for (const waiting of all) {
    const line = lines.get(waiting.url);
    if (line === undefined) lines.set(waiting.url, [waiting]);
    else line.push(waiting);
  }
  return lines;
}

/** What one attempt came to. */
type Attempt =
  | { readonly kind: 'taken'; readonly status: number }
  | { readonly kind: 'failed'; readonly status?: number; readonly type: string; readonly found: string; readonly retryAfterMs: number; readonly isGone: boolean };

async function deliver(options: DeliverOptions, waiting: Waiting): Promise<boolean> {
  const attempt = await tracedAttempt(options, waiting);
  const attempts = waiting.attempts + 1;
  if (attempt.kind === 'taken') {
    drop(options.spool, waiting);
    await tell(options, waiting, 'integration.deliver', { status: attempt.status, attempts });
    return true;
  }
  const pause = attempt.isGone ? undefined : pauses[waiting.attempts];
  const trouble = attempt.found.slice(0, longestTrouble);
  const nextTry = pause === undefined ? null : options.clock.now() + Math.max(jittered(pause, options.random), attempt.retryAfterMs);
  write(options.spool, { ...waiting, attempts, nextTry, trouble });
  // The first failure, and the end: what lies between can be seen with loki doctor.
  if (attempts === 1 || nextTry === null) await tell(options, waiting, 'integration.fail', { found: trouble, attempts, gives_up: nextTry === null });
  return false;
}

/** One attempt and its span, which the receiver is told of: a message can be followed into whatever it sets off there. */
async function tracedAttempt(options: DeliverOptions, waiting: Waiting): Promise<Attempt> {
  const span = options.tracer.startSpan(spanNames.webhook, {
    kind: 'client',
    attributes: { [attribute.method]: 'POST', [attribute.serverAddress]: hostOf(waiting.url), [attribute.approvalId]: waiting.approvalId, [attribute.resendCount]: waiting.attempts === 0 ? undefined : waiting.attempts },
  });
  const attempt = await attemptOf(options, waiting, toldContext(options.tracer, span.context));
  span.setAttribute(attribute.httpStatus, attempt.status);
  if (attempt.kind === 'failed') span.setAttribute(attribute.errorType, attempt.type).setStatus('error');
  span.end();
  return attempt;
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

async function attemptOf({ rules, sockets, clock, secrets, userAgent }: DeliverOptions, { id, url, body: text }: Waiting, context: SpanContext): Promise<Attempt> {
  try {
    const target = egressTarget(url, rules);
    const [address = ''] = await egressAddresses(target, rules, sockets);
    const body = Buffer.from(text, 'utf8');
    const signed = webhookHeaders({ id, timestamp: Math.floor(clock.now() / second), body }, secrets());
    const answer = await sockets.post({ url: target.url, address, headers: { ...signed, ...(isValidContext(context) ? { traceparent: traceparentOf(context) } : {}), 'content-type': 'application/json', 'user-agent': userAgent }, body, timeoutMs });
    if (answer.status >= 200 && answer.status < 300) return { kind: 'taken', status: answer.status };
    return { kind: 'failed', status: answer.status, type: String(answer.status), found: `${target.origin} answered ${answer.status}${answer.status >= 300 && answer.status < 400 ? '; redirects are not followed' : ''}`, retryAfterMs: Math.min((answer.retryAfterS ?? 0) * second, longestPauseMs), isGone: answer.status === 410 };
  } catch (error) {
    return { kind: 'failed', type: error instanceof LokiError ? error.code : 'internal', found: withoutUrl(error, url), retryAfterMs: 0, isGone: false };
  }
}

/** The words of an error without the path and query of the address, where a secret may stand. */
function withoutUrl(error: unknown, url: string): string {
  const words = messageOf(error).replace(/^Cannot /, '');
  if (!URL.canParse(url)) return error instanceof LokiError ? words : 'it cannot be called';
  const { origin, pathname, search } = new URL(url);
  return [`${origin}${pathname}${search}`, `${origin}${pathname}`].reduce((text, secret) => text.replaceAll(secret, origin), words);
}

/** Up to a fifth more, so that messages which failed together do not come back together. */
function jittered(pause: number, random: Random): number {
  const [lot = 0] = random.bytes(1);
  return Math.round(pause * (1 + lot / 255 / 5));
}

async function tell({ record }: DeliverOptions, { id, type, approvalId, url }: Waiting, event: DeliveryEvent['event'], details: JsonObject): Promise<void> {
  const to = URL.canParse(url) ? new URL(url).origin : null;
  await record({ event, actor: 'system', resource: `approval:${approvalId}`, details: { what: 'webhook', message: id, type, to, ...details } }).catch(() => undefined);
}
