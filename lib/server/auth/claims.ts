/**
 * What the claims of a token must say before anybody is let in by it: who issued it, for whom, when, and that it is the sort
 * of token it is shown as. Pure; the signature has been checked before. Follows OpenID Connect Core 3.1.3.7, RFC 7519, RFC
 * 9068 for access tokens and OpenID Connect Back-Channel Logout 2.6; stricter where a second reading would be possible.
 */
import { LokiError } from '../../errors.ts';
import { leftHalfHash } from '../../base/jws.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { SignedJwt } from './verify.ts';

/** Clocks may differ by so many seconds. */
const skewS = 30;
/** An id token is fetched as it is made; one that is older was kept by somebody. */
const oldestIdTokenS = 600;
/** The end of the year 9999: later is no time, but a number somebody tries. */
const lastSecond = 253_402_300_799;
const longest = { subject: 255, sid: 255, jti: 1000 };
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** What an id token must agree with. */
export interface IdTokenTerms {
  readonly issuer: string;
  readonly clientId: string;
  /** Another audience that is ours. */
  readonly audience: string | undefined;
  /** What we sent; undefined: none, and then the token must have none. */
  readonly nonce: string | undefined;
  readonly nowMs: number;
  /** The person must have proven who they are at most so many seconds ago. */
  readonly maxAgeS?: number | undefined;
  /** What came with the token, for the hashes it may carry of them. */
  readonly accessToken?: string | undefined;
  readonly code?: string | undefined;
  readonly state?: string | undefined;
}

/** Who a token is about. */
export interface CheckedClaims {
  readonly subject: string;
  /** When the person last proved who they are, where the provider says so; milliseconds. */
  readonly authTimeMs: number | undefined;
  /** Name of the session at the provider. */
  readonly sid: string | undefined;
  /** When the token ends, milliseconds. */
  readonly expiresMs: number;
  readonly all: JsonObject;
}

/** Throws `auth.token` with the first claim that is not as it must be. */
export function checkIdToken(jwt: SignedJwt, terms: IdTokenTerms): CheckedClaims {
  const { claims } = jwt;
  const nowS = terms.nowMs / 1000;
  refuseTypes(jwt, ['at+jwt', 'logout+jwt', 'secevent+jwt']);
  const checked = checkCommon(claims, terms.issuer, nowS);
  const iat = requiredTime(claims, 'iat');
  if (iat > nowS + skewS) throw refused('it is from the future ("iat")');
  if (iat < nowS - oldestIdTokenS) throw refused(`it was issued more than ${oldestIdTokenS / 60} minutes ago ("iat")`);
  const audiences = audiencesOf(claims);
  if (!audiences.includes(terms.clientId)) throw refused('it is for another audience ("aud")');
  const untrusted = audiences.find((audience) => audience !== terms.clientId && audience !== terms.audience);
  if (untrusted !== undefined) throw refused('it is also for an audience that is not ours ("aud")');
  const { azp } = claims;
  if ((audiences.length > 1 || azp !== undefined) && azp !== terms.clientId) throw refused('it was issued to another client ("azp")');
  if (claims['nonce'] !== terms.nonce) throw refused('its "nonce" is not the one of this sign-on');
  checkHash(jwt, 'at_hash', terms.accessToken);
  checkHash(jwt, 'c_hash', terms.code);
  checkHash(jwt, 's_hash', terms.state);
  const authTime = optionalTime(claims, 'auth_time');
  if (terms.maxAgeS !== undefined) {
    if (authTime === undefined) throw refused('it does not say when the person proved who they are ("auth_time")');
    if (authTime + terms.maxAgeS < nowS - skewS) throw refused('the person proved who they are too long ago ("auth_time")');
  }
  if (authTime !== undefined && authTime > nowS + skewS) throw refused('its "auth_time" is in the future');
  return { ...checked, authTimeMs: authTime === undefined ? undefined : authTime * 1000 };
}

export interface AccessTokenTerms {
  readonly issuer: string;
  readonly audience: string;
  /** Our name at the provider: an id token is for it, and is no access token. */
  readonly clientId: string | undefined;
  readonly nowMs: number;
}

/**
 * An access token by RFC 9068; many providers do not write `typ: at+jwt`, so one without it is taken too, but only for an
 * audience that no id token could have.
 */
export function checkAccessToken(jwt: SignedJwt, terms: AccessTokenTerms): CheckedClaims {
  const { claims, header } = jwt;
  const nowS = terms.nowMs / 1000;
  const type = typeOf(header);
  const checked = checkCommon(claims, terms.issuer, nowS);
  if (requiredTime(claims, 'iat') > nowS + skewS) throw refused('it is from the future ("iat")');
  if (!audiencesOf(claims).includes(terms.audience)) throw refused('it is for another audience ("aud")');
  if (type === 'at+jwt') {
    for (const name of ['jti', 'client_id']) if (!isText(claims[name], longest.jti)) throw refused(`it has no "${name}"`);
  } else if (type !== 'jwt' && type !== undefined) {
    throw refused('it is no access token ("typ")');
  } else if (terms.audience === terms.clientId || claims['nonce'] !== undefined) {
    throw refused('it does not say that it is an access token ("typ"), and could be an id token');
  }
  return checked;
}

/** A logout token; `nowMs` and the names as for an id token. */
export function checkLogoutToken(jwt: SignedJwt, terms: Pick<IdTokenTerms, 'issuer' | 'clientId' | 'nowMs'>): { readonly subject: string | undefined; readonly sid: string | undefined; readonly jti: string } {
  const { claims, header } = jwt;
  const nowS = terms.nowMs / 1000;
  const type = typeOf(header);
  if (type !== undefined && type !== 'logout+jwt' && type !== 'jwt') throw refused('it is no logout token ("typ")');
  checkIssuer(claims, terms.issuer);
  const iat = requiredTime(claims, 'iat');
  if (iat > nowS + skewS || iat < nowS - oldestIdTokenS) throw refused('it was not issued just now ("iat")');
  checkTimes(claims, nowS, claims['exp'] !== undefined);
  const audiences = audiencesOf(claims);
  if (!audiences.includes(terms.clientId)) throw refused('it is for another audience ("aud")');
  const { sub, sid, jti, events } = claims;
  if (!isText(jti, longest.jti)) throw refused('it has no "jti"');
  const logout = isPlainObject(events) && Object.hasOwn(events, logoutEvent) ? events[logoutEvent] : undefined;
  if (!isPlainObject(logout)) throw refused('it tells of no logout ("events")');
  if (Object.hasOwn(claims, 'nonce')) throw refused('it has a "nonce", as only id tokens do');
  const [subject, session] = [textOf(sub, 'sub', longest.subject), textOf(sid, 'sid', longest.sid)];
  if (subject === undefined && session === undefined) throw refused('it says neither whose ("sub") nor which session ("sid") has ended');
  return { subject, sid: session, jti };
}

/** What every token says that lets somebody in. */
function checkCommon(claims: JsonObject, issuer: string, nowS: number): CheckedClaims {
  checkIssuer(claims, issuer);
  const expires = checkTimes(claims, nowS, true);
  const subject = textOf(claims['sub'], 'sub', longest.subject);
  if (subject === undefined) throw refused('it does not say who it is about ("sub")');
  return { subject, sid: textOf(claims['sid'], 'sid', longest.sid), authTimeMs: undefined, expiresMs: expires * 1000, all: claims };
}

function checkIssuer({ iss }: JsonObject, issuer: string): void {
  if (iss === undefined) throw refused('it does not say who issued it ("iss")');
  if (iss !== issuer) throw refused('it was issued by another issuer ("iss")');
}

/** Gives `exp`; 0 where it may be missing and is. */
function checkTimes(claims: JsonObject, nowS: number, expires: boolean): number {
  const exp = expires ? requiredTime(claims, 'exp') : 0;
  if (expires && exp <= nowS - skewS) throw refused('it has expired ("exp")');
  const nbf = optionalTime(claims, 'nbf');
  if (nbf !== undefined && nbf > nowS + skewS) throw refused('it is not valid yet ("nbf")');
  return exp;
}

function requiredTime(claims: JsonObject, name: string): number {
  const time = optionalTime(claims, name);
  if (time === undefined) throw refused(`it has no "${name}"`);
  return time;
}

function optionalTime(claims: JsonObject, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > lastSecond) throw refused(`its "${name}" is no time`);
  return value;
}

/** `aud` as a list; what is neither a text nor a list of texts is refused. */
function audiencesOf({ aud }: JsonObject): readonly string[] {
  if (aud === undefined) throw refused('it does not say who it is for ("aud")');
  const list: readonly JsonValue[] = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
  if (list.length === 0 || list.length > 100) throw refused('its "aud" is neither a text nor a list of texts');
  return list.map((one) => {
    if (typeof one !== 'string') throw refused('its "aud" is neither a text nor a list of texts');
    return one;
  });
}

function checkHash({ alg, claims }: SignedJwt, name: string, value: string | undefined): void {
  const given = claims[name];
  if (given === undefined || value === undefined) return;
  if (given !== leftHalfHash(alg, value)) throw refused(`its "${name}" is of something else than came with it`);
}

/** The media type of a token without what may be left out: `application/`, upper case. */
function typeOf({ typ }: JsonObject): string | undefined {
  if (typ === undefined) return undefined;
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : 'none';
}

function refuseTypes({ header }: SignedJwt, types: readonly string[]): void {
  const type = typeOf(header);
  if (type !== undefined && types.includes(type)) throw refused('it is a token of another sort ("typ")');
}

function textOf(value: JsonValue | undefined, name: string, most: number): string | undefined {
  if (value === undefined) return undefined;
  if (!isText(value, most)) throw refused(`its "${name}" is no text of up to ${most} characters`);
  return value;
}

function isText(value: JsonValue | undefined, most: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= most && !/[\u0000-\u001f\u007f]/.test(value);
}

function refused(found: string): LokiError {
  return new LokiError('auth.token', { attempted: 'accept the token', found });
}
