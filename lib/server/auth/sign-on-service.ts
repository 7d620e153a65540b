/**
 * Who somebody is, by what an identity provider or a browser session says: the parts of this folder put together for the
 * routes. Every sign-on and every failed one is recorded; one that cannot be recorded does not count. Without a provider there
 * are still sessions, for keys that a browser exchanged.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { JsonValue } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import { looksLikeJwt } from '../../formats/jwt.ts';
import type { AuditEvent, Recorder } from '../../audit/entry.ts';
import type { Clock, HttpClient, Random } from '../../ports.ts';
import type { Store } from '../../store/store.ts';
import type { Principal, Scope } from '../principal.ts';
import { checkLogoutToken } from './claims.ts';
import { createCookieJar, type CookieJar } from './cookies.ts';
import { createDeviceGrants, loginKeyPrefix, type DeviceApprover, type DeviceGrants, type KeyOrder } from './device.ts';
import type { Issuer } from './issuer.ts';
import { scopesOf, type Grant, type RoleRules } from './roles.ts';
import { createSealedFacts, type SealedFacts } from './sealed.ts';
import { createSessions, sessionCookie, type LiveSession, type Sessions } from './sessions.ts';
import { createSignOnFlow, withQuery, type Departure, type Identity, type SignedOn, type SignOnFlow } from './sign-on.ts';
import { createTokenCheck, type TokenBearer, type TrustedIssuer } from './trusted-issuers.ts';
import { verifySignature } from './verify.ts';

/** The provider of the people. */
export interface ProviderTerms {
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly redirectUri: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  readonly roles: RoleRules;
  /** Name here -> subject. */
  readonly users: ReadonlyMap<string, string>;
}

export interface SignOnServiceOptions {
  readonly store: Store;
  readonly record: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly http: HttpClient;
  /** Whether browsers reach us by https. */
  readonly secure: boolean;
  readonly provider: ProviderTerms | undefined;
  /** Further issuers, of machines. */
  readonly machines: readonly TrustedIssuer[];
  /** The principal of a key as it is now; undefined when it does not count any more. `movable`: whether it may be shown from anywhere. */
  readonly principalOfKey: (tenant: string | null, keyId: string) => Promise<{ readonly principal: Principal; readonly movable: boolean; readonly endsMs: number | undefined } | undefined>;
  readonly issueKey: (order: KeyOrder) => Promise<{ readonly id: string; readonly token: string }>;
  /** Revokes the key that a command line got; durable and recorded when it resolves. */
  readonly revokeKey: (principal: Principal) => Promise<void>;
}

/** Where a request came from, for the record. */
export interface Asked {
  readonly requestId: string;
  readonly address: string;
}

export interface SignOnService {
  /** The provider's name; undefined when there is none. */
  readonly issuer: string | undefined;
  /** Whether browsers reach us by https. */
  readonly secure: boolean;
  readonly device: DeviceGrants;
  /** The principal of a browser's session; undefined when the cookies name none that lives. */
  principalOfCookie(cookie: string): Promise<Principal | undefined>;
  /** The bearer of a token of a provider; undefined for what is no such token. Throws `auth.token`, `auth.sign_on`, `auth.issuer`. */
  principalOfToken(token: string): Promise<Principal | undefined>;
  begin(start: Parameters<SignOnFlow['begin']>[0]): Promise<Departure>;
  finish(callback: Parameters<SignOnFlow['finish']>[0], asked: Asked): Promise<{ readonly returnTo: string; readonly cookies: readonly string[] }>;
  /** A session in exchange for a key. */
  exchange(principal: Principal, asked: Asked): Promise<{ readonly session: LiveSession; readonly cookies: readonly string[] }>;
  /** The session of a browser, for itself. */
  sessionOf(cookie: string | undefined): Promise<LiveSession | undefined>;
  /** Who approves a command line; undefined for somebody without a session. */
  approverOf(principal: Principal, cookie: string | undefined): Promise<DeviceApprover | undefined>;
  /** Revokes the key of a command line that signs out; any other key stays. Whether it was one. */
  endKey(principal: Principal): Promise<boolean>;
  /** Ends the session. `location`: where the browser goes to sign out at the provider too; null when there is no such place. */
  end(cookie: string | undefined, origin: string): Promise<{ readonly location: string | null; readonly cookies: readonly string[] }>;
  /** The browser is back from the provider's sign-out. Throws `auth.sign_on` unless it was sent there. */
  signedOut(state: string | undefined, cookie: string | undefined): readonly string[];
  /** The provider ends sessions (back-channel logout). How many. Throws `auth.token`. */
  endFrom(logoutToken: string): Promise<number>;
  /** Forgets what is over. */
  sweep(): Promise<number>;
}

const signOutCookie = 'loki-sign-out';
const signOutMs = 600_000;
/** Longer addresses are cut by proxies; the provider then asks the person instead. */
const longestHint = 4096;

export function createSignOnService(options: SignOnServiceOptions): SignOnService {
  const { store, record, clock, random, http, provider, secure } = options;
  const jar = createCookieJar(secure);
  const sealed = createSealedFacts(random, clock);
  const sessions = createSessions({ store, clock, random, terms: termsOf(provider) });
  const flow = provider === undefined ? undefined : createSignOnFlow({ ...provider, http, clock, random, jar, sealed });
  const people: readonly TrustedIssuer[] = provider === undefined ? [] : [{ issuer: provider.issuer, audience: provider.audience ?? provider.clientId, clientId: provider.clientId, grants: provider.roles }];
  const checkToken = createTokenCheck([...people, ...options.machines], clock);
  const seen = createSeenOnce(clock);
  const sessionOf = async (cookie: string | undefined): Promise<LiveSession | undefined> => {
    const value = jar.read(cookie, sessionCookie);
    return value === undefined ? undefined : sessions.find(value);
  };
  const parts: Parts = { options, jar, sealed, sessions };
  const tenantLives = async (tenant: string | null): Promise<boolean> => tenant === null || await store.get(`tenants/${tenant}`) !== undefined;
  const requireTenant = async ({ tenant }: Grant): Promise<void> => {
    if (await tenantLives(tenant)) return;
    throw new LokiError('auth.sign_on', { attempted: 'let somebody in', found: `the tenant ${tenant ?? ''} of their role does not exist`, hint: 'Correct the role map, or make the tenant' });
  };
  const comeBack = async (signOn: SignOnFlow, callback: Parameters<SignOnFlow['finish']>[0]): Promise<SignedOn> => {
    const back = await signOn.finish(callback);
    await requireTenant(back.identity.grant);
    return back;
  };
  return {
    issuer: provider?.issuer.name, secure, device: createDeviceGrants({ clock, random, issueKey: options.issueKey }),
    sessionOf, sweep: () => sessions.sweep(),
    async principalOfCookie(cookie) {
      const session = await sessionOf(cookie);
      return session === undefined || !await tenantLives(session.tenant) ? undefined : principalOfSession(session, options);
    },
    async principalOfToken(token) {
      if (!looksLikeJwt(token)) return undefined;
      const bearer = await checkToken(token);
      await requireTenant(bearer.grant);
      return principalOfBearer(bearer, provider);
    },
    async begin(start) {
      if (flow === undefined) throw new LokiError('not_found', { attempted: 'sign in', found: 'no identity provider is configured', hint: 'Set enterprise.auth.oidc, or exchange a key with POST /auth/session' });
      return flow.begin(start);
    },
    async finish(callback, asked) {
      if (flow === undefined || provider === undefined) throw new LokiError('not_found', { attempted: 'sign in', found: 'no identity provider is configured' });
      const { identity, returnTo, cookies } = await orRecorded(comeBack(flow, callback), record, asked);
      const { value, session } = await sessions.begin(sessionFor(identity, provider));
      await recordSignOn(record, identity, session, asked);
      return { returnTo, cookies: [...cookies, jar.set(sessionCookie, value, Math.floor((session.endsMs - clock.now()) / 1000))] };
    },
    exchange: (principal, asked) => exchange(parts, principal, asked),
    async approverOf(principal, cookie) {
      const session = principal.kind === 'session' ? await sessionOf(cookie) : undefined;
      if (session === undefined) return undefined;
      const { actor, owner = actor, tenant, scopes } = principal;
      return { actor, owner, tenant, scopes, endsMs: session.keyId === undefined ? Infinity : session.endsMs };
    },
    async endKey(principal) {
      if (principal.kind !== 'key' || !principal.actor.startsWith(`token:${loginKeyPrefix}`)) return false;
      await options.revokeKey(principal);
      return true;
    },
    end: (cookie, origin) => end(parts, cookie, origin),
    signedOut(state, cookie) {
      const facts = sealed.open(signOutCookie, jar.read(cookie, signOutCookie) ?? '', signOutMs);
      if (state === undefined || facts === undefined || facts['state'] !== state) throw new LokiError('auth.sign_on', { attempted: 'come back from signing out', found: 'this browser was not sent to sign out ("state")', hint: 'Open the control plane again' });
      return [jar.clear(signOutCookie)];
    },
    async endFrom(logoutToken) {
      if (provider === undefined) throw new LokiError('not_found', { attempted: 'end sessions', found: 'no identity provider is configured' });
      const { issuer } = await provider.issuer.metadata();
      const { subject, sid, jti } = checkLogoutToken(await verifySignature(logoutToken, provider.issuer), { issuer, clientId: provider.clientId, nowMs: clock.now() });
      return seen.once(jti, () => sessions.endOf(issuer, { subject, sid })) ?? 0;
    },
  };
}

interface Parts {
  readonly options: SignOnServiceOptions;
  readonly jar: CookieJar;
  readonly sealed: SealedFacts;
  readonly sessions: Sessions;
}

async function exchange({ options: { principalOfKey, record, clock }, jar, sessions }: Parts, principal: Principal, asked: Asked): Promise<{ readonly session: LiveSession; readonly cookies: readonly string[] }> {
  const attempted = 'exchange a key for a session';
  const key = principal.kind !== 'key' || principal.keyId === undefined ? undefined : await principalOfKey(principal.tenant, principal.keyId);
  if (key === undefined) throw new LokiError('auth.required', { attempted, found: 'the request shows no key', hint: 'Send Authorization: Bearer loki_…' });
  if (!key.movable) throw new LokiError('auth.forbidden', { attempted, found: 'the key is for certain addresses, and a session would not be', hint: 'Use a key without an address list' });
  const { actor, tenant, scopes, keyId } = principal;
  const { value, session } = await sessions.begin({ actor, tenant, scopes: [...scopes], name: undefined, keyId, endsMs: key.endsMs });
  await record({ event: 'auth.token.use', actor, resource: actor, details: { request_id: asked.requestId, address: asked.address, exchanged_for: `session ${session.reference}` }, ...ofTenant(tenant) });
  return { session, cookies: [jar.set(sessionCookie, value, Math.floor((session.endsMs - clock.now()) / 1000))] };
}

async function end({ options: { provider, random }, jar, sealed, sessions }: Parts, cookie: string | undefined, origin: string): Promise<{ readonly location: string | null; readonly cookies: readonly string[] }> {
  const value = jar.read(cookie, sessionCookie);
  const ended = value === undefined ? undefined : await sessions.end(value);
  const cookies = [jar.clear(sessionCookie)];
  if (ended?.idToken === undefined || provider === undefined) return { location: null, cookies };
  // The session here has ended, whether or not the provider can be reached now.
  const place = await provider.issuer.metadata().then((metadata) => metadata.endSessionEndpoint, () => undefined);
  if (place === undefined) return { location: null, cookies };
  const state = Buffer.from(random.bytes(32)).toString('base64url');
  const home = provider.redirectUri === undefined ? origin : new URL(provider.redirectUri).origin;
  const location = withQuery(place, {
    ...(ended.idToken.length <= longestHint ? { id_token_hint: ended.idToken } : {}), client_id: provider.clientId, post_logout_redirect_uri: `${home}/auth/signed-out`, state,
  });
  return { location, cookies: [...cookies, jar.set(signOutCookie, sealed.seal(signOutCookie, { state }), signOutMs / 1000)] };
}

/** A session of other terms than today's is none: whoever lost a role by a change of the settings has lost it at once. */
function termsOf(provider: ProviderTerms | undefined): string {
  if (provider === undefined) return 'no provider';
  const { issuer, clientId, roles, users } = provider;
  return JSON.stringify([issuer.name, clientId, roles.claim, [...roles.map], [...users]]);
}

function sessionFor({ issuer, claims, grant, idToken }: Identity, provider: ProviderTerms): Parameters<Sessions['begin']>[0] {
  const { subject, sid, authTimeMs, all } = claims;
  return {
    actor: personOf(subject, provider.users), tenant: grant.tenant, scopes: [...scopesOf(grant)], role: grant.role, name: displayName(all), issuer, subject, sid, authTimeMs, idToken,
  };
}

/** `user:alice` for a subject that has a name here; else one that no name can be taken for. */
export function personOf(subject: string, users: ReadonlyMap<string, string>): string {
  for (const [name, named] of users) if (named === subject) return `user:${name}`;
  return `user:sso:${encodeURIComponent(subject)}`;
}

/** For the person's own eyes: whoever may change it at the provider could write anybody's name. */
function displayName(claims: Readonly<Record<string, JsonValue>>): string | undefined {
  const named = ['preferred_username', 'email', 'name'].map((claim) => claims[claim]).find((value) => typeof value === 'string' && value !== '');
  return typeof named === 'string' ? named.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '').slice(0, 100) : undefined;
}

/** A person has shown who they are just now for so long: only then does a session decide approvals. */
const freshMs = 600_000;

async function principalOfSession(session: LiveSession, { principalOfKey, clock }: SignOnServiceOptions): Promise<Principal | undefined> {
  const { actor, tenant, scopes, role, authTimeMs, keyId, beganMs } = session;
  const shownMs = keyId === undefined ? authTimeMs : beganMs;
  const isFresh = shownMs !== undefined && Math.abs(clock.now() - shownMs) <= freshMs;
  const allowed = (all: Iterable<Scope>): ReadonlySet<Scope> => new Set([...all].filter((scope) => scope !== 'approve' || isFresh));
  if (keyId !== undefined) {
    const key = await principalOfKey(tenant, keyId);
    return key === undefined || !key.movable ? undefined : { ...key.principal, kind: 'session', scopes: allowed(key.principal.scopes) };
  }
  return {
    kind: 'session', actor, owner: actor, tenant, scopes: allowed(scopes), anonymous: false, ...(role === undefined ? {} : { role }), ...(authTimeMs === undefined ? {} : { authTime: authTimeMs }),
  };
}

/** Never with `approve`: a token can be kept, so it is no proof that a person stands behind it now. */
function principalOfBearer({ issuer, claims: { subject }, grant }: TokenBearer, provider: ProviderTerms | undefined): Principal {
  const person = provider !== undefined && new URL(provider.issuer.name).href === new URL(issuer).href ? personOf(subject, provider.users) : undefined;
  const { host, pathname } = new URL(issuer);
  return {
    kind: 'token', actor: `token:${host}${pathname.replace(/\/$/, '')}:${encodeURIComponent(subject).replaceAll('%3A', ':').replaceAll('%2F', '/')}`,
    tenant: grant.tenant, scopes: scopesOf({ role: grant.role, approve: false }), anonymous: false, role: grant.role, ...(person === undefined ? {} : { owner: person }),
  };
}

/** A failure is recorded as far as it can be, and stays the failure it was. */
async function orRecorded<T>(given: Promise<T>, record: Recorder, { requestId, address }: Asked): Promise<T> {
  try {
    return await given;
  } catch (error) {
    await Promise.resolve(record({ event: 'auth.oidc.fail', actor: 'user:anonymous', details: { request_id: requestId, address, reason: messageOf(error).slice(0, 1024) } })).catch(() => undefined);
    throw error;
  }
}

function recordSignOn(record: Recorder, { issuer, claims, grant }: Identity, session: LiveSession, { requestId, address }: Asked): Promise<unknown> {
  return record({
    event: 'auth.oidc.success', actor: session.actor, resource: session.actor,
    details: { request_id: requestId, address, issuer, subject: claims.subject, role: grant.role, approve: grant.approve, session: session.reference }, ...ofTenant(grant.tenant),
  });
}

function ofTenant(tenant: string | null): Pick<AuditEvent, 'metadata'> {
  return tenant === null ? {} : { metadata: { tenant_id: tenant } };
}

/** A logout token works once; its time is bounded, so is what is remembered. */
function createSeenOnce(clock: Clock): { once<T>(jti: string, work: () => Promise<T>): Promise<T> | undefined } {
  const seen = new Map<string, number>();
  return {
    once(jti, work) {
      for (const [old, at] of seen) {
        if (clock.monotonic() - at < 1_200_000 && seen.size < 10_000) break;
        seen.delete(old);
      }
      if (seen.has(jti)) return undefined;
      seen.set(jti, clock.monotonic());
      return work().catch((error: unknown) => {
        // What was not ended must be ended when the provider asks again.
        seen.delete(jti);
        throw error;
      });
    },
  };
}
