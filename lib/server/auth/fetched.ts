/**
 * A document of an identity provider, fetched when it is first needed and kept. Decides when it is asked for again: never
 * twice at once, after a while, sooner when somebody misses something in it, and then at most once in a cooldown, so that
 * callers with made-up tokens cannot make us ask. While the provider is down the last document goes on being used for a
 * bounded time, and every time that happens it is told.
 */
import { LokiError, messageOf } from '../../errors.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import type { Clock, HttpClient } from '../../ports.ts';

/** How long, in milliseconds. */
export interface FetchTimes {
  readonly timeoutMs: number;
  /** A document older than this is fetched again when it is needed. */
  readonly maxAgeMs: number;
  /** Between two fetches, the second of which somebody asks for because of something missing. */
  readonly cooldownMs: number;
  /** After a fetch that failed. */
  readonly failureCooldownMs: number;
  /** A document older than this is not used, whether or not there is a newer one. */
  readonly staleMs: number;
}

export const usualFetchTimes: FetchTimes = { timeoutMs: 5_000, maxAgeMs: 600_000, cooldownMs: 30_000, failureCooldownMs: 5_000, staleMs: 86_400_000 };

/** A document as it is kept for the next start. */
export interface KeptDocument {
  readonly fetchedMs: number;
  readonly document: JsonObject;
}

/** Where documents are kept across a restart. What it gives back is checked like a new one. */
export interface DocumentMemory {
  read(): KeptDocument | undefined;
  write(kept: KeptDocument): void;
}

export interface FetchedOptions<T> {
  /** In messages: `the keys of https://op.example`. */
  readonly what: string;
  readonly url: () => string | Promise<string>;
  readonly limit: number;
  /** Makes of it what is used; throws `auth.issuer` for a document that cannot be. */
  readonly read: (document: JsonObject) => T;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly times: FetchTimes;
  readonly memory?: DocumentMemory | undefined;
  readonly ca?: string | undefined;
  /** An old document is used because no new one could be had. */
  readonly onStale: (words: string) => void;
}

export interface Fetched<T> {
  /** The document, new enough. Throws `auth.issuer`. */
  current(): Promise<T>;
  /** One that is newer than what is known, if it may be fetched now; undefined else. Never throws. */
  newer(): Promise<T | undefined>;
}

export function createFetched<T>(options: FetchedOptions<T>): Fetched<T> {
  const { clock, times, what } = options;
  let known: { readonly value: T; readonly at: number } | undefined = recalled(options);
  let last: { readonly at: number; readonly failed: unknown } | undefined;
  let underWay: Promise<T> | undefined;

  const fetchNow = async (): Promise<T> => {
    let failed: unknown;
    try {
      const document = await fetchDocument(options);
      const value = options.read(document);
      known = { value, at: clock.monotonic() };
      remember(options, document);
      return value;
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      last = { at: clock.monotonic(), failed };
      underWay = undefined;
    }
  };
  const fetchOnce = (): Promise<T> => {
    underWay ??= fetchNow();
    return underWay;
  };
  const since = (at: number): number => clock.monotonic() - at;

  return {
    async current() {
      if (known !== undefined && since(known.at) < times.maxAgeMs) return known.value;
      const failedJustNow = last?.failed !== undefined && since(last.at) < times.failureCooldownMs;
      try {
        if (failedJustNow && underWay === undefined) throw last?.failed;
        return await fetchOnce();
      } catch (error) {
        if (known === undefined || since(known.at) >= times.staleMs) throw error;
        if (!failedJustNow) options.onStale(`${what} could not be fetched (${messageOf(error)}); those of ${Math.round(since(known.at) / 1000)} seconds ago are used, for at most ${Math.round(times.staleMs / 3_600_000)} hours`);
        return known.value;
      }
    },
    async newer() {
      const pause = last?.failed === undefined ? times.cooldownMs : times.failureCooldownMs;
      if (underWay === undefined && last !== undefined && since(last.at) < pause) return undefined;
      return fetchOnce().catch(() => undefined);
    },
  };
}

/** What an earlier process kept; left aside when it is from the future, too old, or cannot be read. */
function recalled<T>({ memory, read, clock, times }: FetchedOptions<T>): { readonly value: T; readonly at: number } | undefined {
  try {
    const kept = memory?.read();
    if (kept === undefined) return undefined;
    const age = clock.now() - kept.fetchedMs;
    if (age < -60_000 || age >= times.staleMs) return undefined;
    return { value: read(kept.document), at: clock.monotonic() - Math.max(0, age) };
  } catch {
    return undefined;
  }
}

/** Keeping it is a convenience for the next start: what cannot be kept now does no harm now. */
function remember<T>({ memory, clock }: FetchedOptions<T>, document: JsonObject): void {
  try {
    memory?.write({ fetchedMs: clock.now(), document });
  } catch {
    // As above.
  }
}

async function fetchDocument<T>({ what, url, limit, http, times, ca }: FetchedOptions<T>): Promise<JsonObject> {
  const where = await url();
  const reply = await answerOf(http.ask({ url: where, timeoutMs: times.timeoutMs, limit, ...(ca === undefined ? {} : { ca }) }), what);
  return jsonReply(reply, what);
}

/** The answer, or `auth.issuer`. */
export async function answerOf<A>(asked: Promise<A>, what: string): Promise<A> {
  try {
    return await asked;
  } catch (error) {
    throw issuerFailed(what, messageOf(error), error);
  }
}

/** The JSON object of an answer. Throws `auth.issuer` for any other: a redirect, a page, an error. `statuses` are the ones that count as an answer. */
export function jsonReply({ status, headers, body }: { readonly status: number; readonly headers: ReadonlyMap<string, string>; readonly body: Uint8Array }, what: string, statuses: readonly number[] = [200]): JsonObject {
  if (!statuses.includes(status)) {
    throw issuerFailed(what, status >= 300 && status < 400 ? `it redirects (status ${status}), and no redirect is followed` : `the answer has status ${status}`);
  }
  const type = headers.get('content-type') ?? '';
  if (!/^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i.test(type.slice(0, 100))) throw issuerFailed(what, `the answer is ${JSON.stringify(type.slice(0, 60))} and not JSON`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw issuerFailed(what, 'the answer is not UTF-8');
  }
  const value = parseStrictJson(text, what, 'auth.issuer');
  if (!isJsonObject(value)) throw issuerFailed(what, 'the answer is not a JSON object');
  return value;
}

/** What came out of JSON and is an object holds nothing but JSON. */
function isJsonObject(value: unknown): value is JsonObject {
  return isPlainObject(value);
}

export function issuerFailed(what: string, found: string, cause?: unknown): LokiError {
  return new LokiError('auth.issuer', { attempted: `read ${what}`, found, cause });
}
