/**
 * Browsers that have signed in. The cookie is 256 random bits behind the tenant it belongs to; stored is only its SHA-256, in
 * that tenant's part of the store, so that a copy of the store lets nobody in. A session ends when it is idle, at its time,
 * when the roles of the installation are mapped differently than when it began, and with the key it was exchanged for. The
 * id token, which the provider wants to see again at sign-out, is sealed under a key that only the cookie gives.
 */
import { nonceBytes, seal, unseal } from '../../base/cipher.ts';
import { sha256, sha256Hex } from '../../base/digest.ts';
import { isId } from '../../base/ids.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { Clock, Random } from '../../ports.ts';
import type { Store } from '../../store/store.ts';
import { tenantPrefix } from '../../store/tenant-view.ts';
import type { Role, Scope } from '../principal.ts';

/** What a session stands for. */
export interface SessionFacts {
  /** As audit entries name the person. */
  readonly actor: string;
  readonly tenant: string | null;
  readonly scopes: readonly Scope[];
  readonly role?: Role | undefined;
  /** For the person only: what the provider calls them. */
  readonly name: string | undefined;
  /** Of a single sign-on. */
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly sid?: string | undefined;
  readonly authTimeMs?: number | undefined;
  /** The key that was exchanged for it; the session may do what the key may, as long as it may. */
  readonly keyId?: string | undefined;
}

export interface NewSession extends SessionFacts {
  /** Not later than this, milliseconds. */
  readonly endsMs?: number | undefined;
  readonly idToken?: string | undefined;
}

export interface LiveSession extends SessionFacts {
  /** Names it in records, and opens nothing. */
  readonly reference: string;
  readonly beganMs: number;
  readonly endsMs: number;
}

export interface SessionsOptions {
  /** The whole store, not a tenant's view of it. */
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** How roles are mapped now, as a text; a session of other terms is none. */
  readonly terms: string;
  readonly idleMs?: number;
  readonly absoluteMs?: number;
}

export interface Sessions {
  /** Durable when it resolves. The value is for the cookie, and nowhere else. */
  begin(session: NewSession): Promise<{ readonly value: string; readonly session: LiveSession }>;
  find(value: string): Promise<LiveSession | undefined>;
  /** Ends it; what the provider has to be told. Undefined when there is none. */
  end(value: string): Promise<{ readonly session: LiveSession; readonly idToken: string | undefined } | undefined>;
  /** Ends every session of a person at a provider, or the one of a session there. How many. */
  endOf(issuer: string, whose: { readonly subject: string | undefined; readonly sid: string | undefined }): Promise<number>;
  /** Removes those whose time is over. How many. */
  sweep(): Promise<number>;
}

export const sessionCookie = 'loki';
const hour = 3_600_000;
/** A use is written down this often: idleness is known to within it. */
const seenEveryMs = 300_000;
const pageSize = 500;
const sessionPrefix = 'sessions/';
/** Which session is whose: found without knowing a cookie or a tenant. */
const indexPrefix = 'session-index/';

interface Stored extends SessionFacts {
  readonly beganMs: number;
  readonly endsMs: number;
  readonly seenMs: number;
  readonly terms: string;
  readonly sealedIdToken: string | undefined;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { store, clock, random } = options;
  const { idleMs = 8 * hour, absoluteMs = 12 * hour } = options;
  const terms = sha256Hex(options.terms).slice(0, 32);
  const isLive = ({ endsMs, seenMs, terms: agreed }: Stored): boolean => clock.now() < endsMs && clock.now() < seenMs + idleMs && agreed === terms;

  const load = async (value: string): Promise<{ readonly at: Place; readonly stored: Stored; readonly revision: number } | undefined> => {
    const at = placeOf(value);
    const entry = at === undefined ? undefined : await store.get(at.key);
    const stored = entry === undefined ? undefined : storedSession(entry.value);
    return at === undefined || entry === undefined || stored === undefined ? undefined : { at, stored, revision: entry.revision };
  };
  const remove = async ({ key, hash }: Place, stored: SessionFacts): Promise<void> => {
    await store.transact([], [{ key, value: undefined }, { key: indexKey(stored, hash), value: undefined }]);
  };

  return {
    async begin({ endsMs, idToken, ...facts }) {
      const value = `${facts.tenant ?? ''}.${Buffer.from(random.bytes(32)).toString('base64url')}`;
      const at = placeOf(value);
      if (at === undefined) throw new Error('a session of no tenant');
      const now = clock.now();
      const stored: Stored = {
        ...facts, beganMs: now, seenMs: now, terms, endsMs: Math.min(now + absoluteMs, endsMs ?? Infinity),
        sealedIdToken: idToken === undefined ? undefined : sealedUnder(value, idToken, random),
      };
      await store.transact([], [
        { key: indexKey(facts, at.hash), value: json({ tenant: facts.tenant, sid: facts.sid, ends: stored.endsMs }) }, { key: at.key, value: json(stored) },
      ]);
      return { value, session: live(stored, at) };
    },
    async find(value) {
      const found = await load(value);
      if (found === undefined) return undefined;
      const { at, stored, revision } = found;
      if (!isLive(stored)) {
        await remove(at, stored);
        return undefined;
      }
      // Somebody else may have ended it meanwhile; then it stays ended.
      if (clock.now() - stored.seenMs > seenEveryMs) await store.transact([{ key: at.key, revision }], [{ key: at.key, value: json({ ...stored, seenMs: clock.now() }) }]);
      return live(stored, at);
    },
    async end(value) {
      const found = await load(value);
      if (found === undefined) return undefined;
      await remove(found.at, found.stored);
      const { sealedIdToken } = found.stored;
      return { session: live(found.stored, found.at), idToken: sealedIdToken === undefined ? undefined : openedWith(value, sealedIdToken) };
    },
    async endOf(issuer, { subject, sid }) {
      const whose = subject === undefined ? indexPrefix : personPrefix({ issuer, subject });
      let ended = 0;
      for await (const { key, value } of pages(store, whose)) {
        if (!isPlainObject(value) || (sid !== undefined && value['sid'] !== sid)) continue;
        const at = indexedPlace(key, value);
        const entry = await store.get(at.key);
        const stored = entry === undefined ? undefined : storedSession(entry.value);
        if (stored === undefined || stored.issuer !== issuer) continue;
        await remove(at, stored);
        ended += 1;
      }
      return ended;
    },
    async sweep() {
      let swept = 0;
      for await (const { key, value } of pages(store, indexPrefix)) {
        if (!isPlainObject(value) || (typeof value['ends'] === 'number' && value['ends'] > clock.now())) continue;
        await store.transact([], [{ key: indexedPlace(key, value).key, value: undefined }, { key, value: undefined }]);
        swept += 1;
      }
      return swept;
    },
  };
}

/** Where a session is. */
interface Place {
  readonly key: string;
  readonly hash: string;
}

/** Where the session of a cookie would be; undefined for a value that is none of ours. */
function placeOf(value: string): Place | undefined {
  const [, tenant = ''] = /^(tnt_[0-9A-Z]{26})?\.[A-Za-z0-9_-]{43}$/.exec(value) ?? ['', 'none'];
  if (tenant !== '' && !isId('tenant', tenant)) return undefined;
  return placed(tenant === '' ? null : tenant, sha256Hex(value));
}

function placed(tenant: string | null, hash: string): Place {
  return { key: `${tenantPrefix(tenant)}${sessionPrefix}${hash}`, hash };
}

/** Where the session of an entry of the index is. */
function indexedPlace(key: string, { tenant }: Readonly<Record<string, unknown>>): Place {
  return placed(typeof tenant === 'string' ? tenant : null, key.slice(key.lastIndexOf('/') + 1));
}

function personPrefix({ issuer, subject }: { readonly issuer?: string | undefined; readonly subject?: string | undefined }): string {
  return `${indexPrefix}${sha256Hex(`${issuer ?? ''}\n${subject ?? ''}`).slice(0, 32)}/`;
}

function indexKey(facts: SessionFacts, hash: string): string {
  return personPrefix(facts) + hash;
}

async function* pages(store: Store, prefix: string): AsyncGenerator<{ readonly key: string; readonly value: JsonValue }> {
  let after: string | undefined;
  for (;;) {
    const page = await store.list(prefix, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < pageSize) return;
    after = page[page.length - 1]?.key;
  }
}

function live({ seenMs: _seen, terms: _terms, sealedIdToken: _token, ...facts }: Stored, { hash }: Place): LiveSession {
  return { ...facts, reference: hash.slice(0, 12) };
}

function json(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value));
}

/** Undefined for an object that is no session: then nobody is signed in. */
function storedSession(value: JsonValue): Stored | undefined {
  if (!isPlainObject(value)) return undefined;
  const { actor, tenant, scopes, beganMs, endsMs, seenMs, terms } = value;
  const sound = typeof actor === 'string' && (tenant === null || typeof tenant === 'string') && Array.isArray(scopes)
    && typeof beganMs === 'number' && typeof endsMs === 'number' && typeof seenMs === 'number' && typeof terms === 'string';
  // Written by `begin` and nobody else; the members that decide have been looked at.
  return sound ? value as unknown as Stored : undefined;
}

const idTokenBound = 'loki session id token';

/** The stored hash of a cookie does not give this key, nor this key the cookie. */
function keyOf(value: string): Uint8Array {
  return sha256(`${idTokenBound}\n${value}`);
}

function sealedUnder(value: string, idToken: string, random: Random): string {
  const nonce = random.bytes(nonceBytes);
  return Buffer.concat([nonce, seal(keyOf(value), nonce, idToken, idTokenBound)]).toString('base64url');
}

function openedWith(value: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  const content = unseal(keyOf(value), bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes), idTokenBound);
  return content === undefined ? undefined : Buffer.from(content).toString('utf8');
}
