/**
 * Signing a person in at the identity provider: the authorization code flow with PKCE (RFC 6749, 7636, OpenID Connect Core
 * 3.1). `state`, `nonce` and the PKCE verifier are bound to the browser that began by a sealed cookie, and each works once.
 * Trusts nothing that comes back until the issuer (RFC 9207), the state, the signature and every claim have been checked.
 */
import { LokiError } from '../../errors.ts';
import { pkceChallenge } from '../../base/jws.ts';
import type { JsonObject } from '../../base/json.ts';
import { secretsEqual } from '../../base/digest.ts';
import type { Secret } from '../../base/secret.ts';
import type { Clock, HttpClient, HttpReply, Random } from '../../ports.ts';
import { checkIdToken, type CheckedClaims } from './claims.ts';
import type { CookieJar } from './cookies.ts';
import { answerOf, jsonReply, usualFetchTimes } from './fetched.ts';
import type { Issuer, IssuerMetadata } from './issuer.ts';
import { isLocalPath } from './return-to.ts';
import { grantOf, tellsRoles, type Grant, type RoleRules } from './roles.ts';
import type { SealedFacts } from './sealed.ts';
import { verifySignature } from './verify.ts';

/** What we are to the provider, and what its word makes somebody here. */
export interface ClientTerms {
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  /** Where the provider sends people back to; `/auth/callback` of the address called when left out. */
  readonly redirectUri: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  readonly roles: RoleRules;
}

export interface SignOnOptions extends ClientTerms {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly jar: CookieJar;
  readonly sealed: SealedFacts;
}

/** Somebody whom the provider vouches for. */
export interface Identity {
  readonly issuer: string;
  readonly claims: CheckedClaims;
  readonly grant: Grant;
  readonly idToken: string;
}

/** A browser that is sent on its way, and the cookies it takes along. */
export interface Departure {
  readonly location: string;
  readonly cookies: readonly string[];
}

export interface SignedOn {
  readonly identity: Identity;
  readonly returnTo: string;
  readonly cookies: readonly string[];
}

export interface SignOnFlow {
  /** `origin` is the address called; `fresh` makes the provider ask the person again, whatever it remembers. */
  begin(start: { readonly origin: string; readonly returnTo: string | undefined; readonly fresh: boolean; readonly cookie: string | undefined }): Promise<Departure>;
  /** Throws `auth.sign_on`, `auth.token` or `auth.issuer`. */
  finish(callback: { readonly query: ReadonlyMap<string, string>; readonly cookie: string | undefined }): Promise<SignedOn>;
}

export const signOnCookie = 'loki-sign-on-';
/** Somebody needs so long at the provider at most. */
const patienceMs = 600_000;
/** Sign-ons that one browser has under way; beginning one more forgets them. */
const mostUnderWay = 4;
const mostUsed = 10_000;
/** How long ago the person may have proven who they are when a fresh proof is asked for. */
const freshS = 60;
const purpose = 'sign-on';
const largestAnswer = 256 * 1024;

export function createSignOnFlow(options: SignOnOptions): SignOnFlow {
  const { issuer, clientId, clock, jar, sealed } = options;
  const used = createUsedOnce(clock);
  const token = (): string => Buffer.from(options.random.bytes(32)).toString('base64url');
  return {
    async begin({ origin, returnTo, fresh, cookie }) {
      const { authorizationEndpoint } = await issuer.metadata();
      if (authorizationEndpoint === undefined) throw failed('the identity provider names no authorization_endpoint');
      const [state, nonce, verifier] = [token(), token(), token()];
      const redirectUri = options.redirectUri ?? `${origin}/auth/callback`;
      const facts = { state, nonce, verifier, redirectUri, returnTo: returnTo ?? '/', fresh };
      const location = withQuery(authorizationEndpoint, {
        response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: scopesOf(options.scopes), state, nonce,
        code_challenge: pkceChallenge(verifier), code_challenge_method: 'S256', ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      });
      const underWay = jar.list(cookie, signOnCookie);
      const forgotten = underWay.length < mostUnderWay ? [] : underWay.map((name) => jar.clear(name));
      return { location, cookies: [...forgotten, jar.set(cookieOf(state), sealed.seal(purpose, facts), patienceMs / 1000)] };
    },
    async finish({ query, cookie }) {
      const { facts, state } = startOf(query, cookie, options);
      if (!used(state)) throw failed('this sign-on has been finished before');
      const metadata = await issuer.metadata();
      checkAnswer(query, metadata);
      const code = query.get('code') ?? '';
      const { idToken, accessToken } = await exchange(code, String(facts['verifier']), String(facts['redirectUri']), metadata, options);
      const claims = checkIdToken(await verifySignature(idToken, issuer), {
        issuer: metadata.issuer, clientId, audience: options.audience, nonce: String(facts['nonce']), nowMs: clock.now(),
        accessToken, code, state, ...(facts['fresh'] === true ? { maxAgeS: freshS } : {}),
      });
      const all = tellsRoles(claims.all, options.roles.claim) ? claims.all : { ...await userinfo(claims.subject, accessToken, metadata, options), ...claims.all };
      const returnTo = String(facts['returnTo']);
      return {
        identity: { issuer: metadata.issuer, claims: { ...claims, all }, grant: grantOf(all, options.roles), idToken },
        returnTo: isLocalPath(returnTo) ? returnTo : '/', cookies: [jar.clear(cookieOf(state))],
      };
    },
  };
}

/** The cookie's name tells sign-ons of one browser apart, and nothing about the state. */
function cookieOf(state: string): string {
  return signOnCookie + pkceChallenge(state).slice(0, 12);
}

function scopesOf(scopes: readonly string[]): string {
  return [...new Set(['openid', ...scopes])].join(' ');
}

/** What this browser began with. The state of the answer must be the one in its cookie. */
function startOf(query: ReadonlyMap<string, string>, cookie: string | undefined, { jar, sealed }: SignOnOptions): { readonly facts: JsonObject; readonly state: string } {
  const state = query.get('state');
  if (state === undefined) throw failed('the answer of the identity provider has no "state"');
  const carried = jar.read(cookie, cookieOf(state));
  if (carried === undefined) throw failed('this browser did not begin this sign-on, or began it more than ten minutes ago, or keeps no cookies');
  const facts = sealed.open(purpose, carried, patienceMs);
  if (facts === undefined) throw failed('the sign-on has expired, or the control plane was restarted meanwhile');
  if (!secretsEqual(state, String(facts['state']))) throw failed('the "state" is not the one that this browser began with');
  return { facts, state };
}

/** Parameters of flows that were not asked for (implicit, hybrid, JARM). */
const foreignParameters = ['response', 'id_token', 'access_token', 'token_type'];

function checkAnswer(query: ReadonlyMap<string, string>, metadata: IssuerMetadata): void {
  const iss = query.get('iss');
  if (iss === undefined && metadata.namesItself) throw failed('the answer does not say which provider it is from ("iss")');
  if (iss !== undefined && iss !== metadata.issuer) throw failed('the answer is from another provider ("iss")');
  const foreign = foreignParameters.find((name) => query.has(name));
  if (foreign !== undefined) throw failed(`the answer has "${foreign}", which was not asked for`);
  const error = query.get('error');
  if (error !== undefined) throw failed(`the identity provider says ${codeWord(error)}`);
  if (query.get('code') === undefined) throw failed('the answer has no "code"');
}

interface Tokens {
  readonly idToken: string;
  readonly accessToken: string | undefined;
}

/** The code for tokens (Core, section 3.1.3). */
async function exchange(code: string, verifier: string, redirectUri: string, metadata: IssuerMetadata, options: SignOnOptions): Promise<Tokens> {
  const what = `the answer of the token endpoint of ${metadata.issuer}`;
  if (metadata.tokenEndpoint === undefined) throw failed('the identity provider names no token_endpoint');
  const { fields, headers } = clientProof(metadata, options);
  const reply = await ask(options, what, metadata.tokenEndpoint, headers, {
    grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, ...fields,
  });
  const answer = jsonReply(reply, what, [200, 400, 401]);
  if (reply.status !== 200) throw failed(`the identity provider refuses the code: ${codeWord(answer['error'])}`);
  const { token_type: type, expires_in: expires, id_token: idToken, access_token: accessToken } = answer;
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw failed('the token answer is not of the type "Bearer"');
  if (expires !== undefined && !/^\d{1,15}(\.\d+)?$/.test(String(expires))) throw failed('the token answer has an "expires_in" that is no number');
  if (typeof idToken !== 'string') throw failed('the token answer has no id token; is "openid" among the scopes?');
  return { idToken, accessToken: typeof accessToken === 'string' ? accessToken : undefined };
}

/** How we show who we are: our secret in the header or in the form, as the provider takes it; a public client names itself. */
function clientProof({ clientAuthentication: ways }: IssuerMetadata, { clientId, clientSecret }: SignOnOptions): { readonly fields: Record<string, string>; readonly headers: Record<string, string> } {
  if (clientSecret === undefined) return { fields: { client_id: clientId }, headers: {} };
  if (!ways.includes('client_secret_basic') && ways.includes('client_secret_post')) {
    return { fields: { client_id: clientId, client_secret: clientSecret.reveal() }, headers: {} };
  }
  // Both are form-encoded first (RFC 6749, section 2.3.1).
  const encoded = [clientId, clientSecret.reveal()].map((text) => new URLSearchParams([['', text]]).toString().slice(1)).join(':');
  return { fields: {}, headers: { authorization: `Basic ${Buffer.from(encoded).toString('base64')}` } };
}

/** Claims that the provider tells only here. Its subject must be that of the id token (Core, section 5.3.2). */
async function userinfo(subject: string, accessToken: string | undefined, metadata: IssuerMetadata, options: SignOnOptions): Promise<JsonObject> {
  if (metadata.userinfoEndpoint === undefined || accessToken === undefined) return {};
  const what = `the user information of ${metadata.issuer}`;
  const answer = jsonReply(await ask(options, what, metadata.userinfoEndpoint, { authorization: `Bearer ${accessToken}` }), what);
  if (answer['sub'] !== subject) throw failed('the user information is about somebody else than the id token ("sub")');
  return answer;
}

function ask({ http, issuer: { ca } }: SignOnOptions, what: string, url: string, headers: Readonly<Record<string, string>>, form?: Readonly<Record<string, string>>): Promise<HttpReply> {
  const sent = form === undefined ? {} : { body: new URLSearchParams(form).toString() };
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return answerOf(http.ask({ url, headers: { ...headers, ...type }, ...sent, timeoutMs: usualFetchTimes.timeoutMs, limit: largestAnswer, ...(ca === undefined ? {} : { ca }) }), what);
}

/** Says whether a text is seen for the first time; remembers each as long as its cookie could be good. */
function createUsedOnce(clock: Clock): (text: string) => boolean {
  const seen = new Map<string, number>();
  return (text) => {
    for (const [old, at] of seen) {
      if (clock.monotonic() - at <= patienceMs && seen.size < mostUsed) break;
      seen.delete(old);
    }
    if (seen.has(text)) return false;
    seen.set(text, clock.monotonic());
    return true;
  };
}

/** An address with more parameters; those it has already stay. */
export function withQuery(address: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** An error code of a provider as a message may show it; what it says beside the code may hold anything. */
function codeWord(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,60}$/.test(value) ? `"${value}"` : 'something that is no error code';
}

function failed(found: string): LokiError {
  return new LokiError('auth.sign_on', { attempted: 'sign in', found });
}
