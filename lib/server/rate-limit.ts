/**
 * How often one caller may ask: a bucket of tokens for each caller and class, filled evenly over a minute. What it
 * remembers is bounded: a full bucket is forgotten, and past the bound the one used longest ago.
 */
import type { Clock } from '../ports.ts';
import type { Principal } from './principal.ts';

export type AllowanceName = 'read' | 'write' | 'auth';

/** How a caller stands after a request. */
export interface Allowance {
  readonly name: AllowanceName;
  readonly allowed: boolean;
  /** Requests a minute. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the bucket is full again. */
  readonly fullIn: number;
  /** Seconds until one more request is allowed; 0 when it is now. */
  readonly retryIn: number;
}

/** Takes `cost` requests (0 only looks) from a caller's bucket. Undefined when limits are off. */
export type RateLimiter = (caller: string, name: AllowanceName, cost: 0 | 1) => Allowance | undefined;

const windowMs = 60_000;
const mostBuckets = 20_000;
const share: Readonly<Record<AllowanceName, number>> = { read: 1, write: 5, auth: 30 };

/** `perMinute` reads; writes a fifth of it, failed authentications a thirtieth; 0 switches limits off. */
export function createRateLimiter(perMinute: number, clock: Pick<Clock, 'monotonic'>): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (caller, name, cost) => {
    if (perMinute === 0) return undefined;
    const limit = Math.max(1, Math.floor(perMinute / share[name]));
    const now = clock.monotonic();
    const key = `${name} ${caller}`;
    const before = buckets.get(key) ?? { tokens: limit, at: now };
    const filled = Math.min(limit, before.tokens + ((now - before.at) * limit) / windowMs);
    const allowed = filled >= cost;
    const tokens = allowed ? filled - cost : filled;
    buckets.delete(key);
    if (tokens < limit) buckets.set(key, { tokens, at: now });
    if (buckets.size > mostBuckets) forget(buckets);
    const seconds = (missing: number): number => Math.ceil((missing * windowMs) / limit / 1000);
    return { name, allowed, limit, remaining: Math.floor(tokens), fullIn: seconds(limit - tokens), retryIn: tokens >= 1 ? 0 : seconds(1 - tokens) };
  };
}

/** A map keeps the order of insertion, and each use inserts anew: the first is the one used longest ago. */
function forget(buckets: Map<string, unknown>): void {
  for (const key of buckets.keys()) {
    buckets.delete(key);
    return;
  }
}

/** Tells a caller how it stands (draft-ietf-httpapi-ratelimit-headers, and its older mirror); nothing where limits are off. */
export function allowanceHeaders(allowance: Allowance | undefined, nowMs: number): Readonly<Record<string, string>> | undefined {
  if (allowance === undefined) return undefined;
  const { name, allowed, limit, remaining, fullIn, retryIn } = allowance;
  return {
    'RateLimit-Policy': `"${name}";q=${limit};w=${windowMs / 1000}`,
    'RateLimit': `"${name}";r=${remaining};t=${fullIn}`,
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(Math.ceil(nowMs / 1000) + fullIn),
    ...(allowed ? undefined : { 'Retry-After': String(Math.max(1, retryIn)) }),
  };
}

/** Who is counted as one caller. Two tenants may have a key of the same name, and neither uses up what is the other's. */
export function countedAs({ anonymous, tenant, actor }: Pick<Principal, 'anonymous' | 'tenant' | 'actor'>, address: string): string {
  return anonymous ? callerOf(address) : `${tenant ?? ''} ${actor}`;
}

/** Callers without a name are told apart by address; an IPv6 customer holds a whole /64. */
export function callerOf(address: string): string {
  const bare = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (!bare.includes(':')) return `address:${bare}`;
  const [head = '', tail] = bare.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `address:${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
