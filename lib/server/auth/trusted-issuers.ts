/**
 * Bearers of tokens that somebody else issued: people and services of the sign-on's own provider, and machines of further
 * ones, such as a CI job. Which provider, audience and claims are trusted is configured entry by entry; a claim counts only
 * when it is exactly what the entry says, never by how it begins. A token that no entry takes lets nobody in.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { parseJwt } from '../../formats/jwt.ts';
import type { Clock } from '../../ports.ts';
import { checkAccessToken, type CheckedClaims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { grantOf, type Grant, type RoleRules } from './roles.ts';
import { verifySignature } from './verify.ts';

/** A provider whose tokens are taken, and on which terms. */
export interface TrustedIssuer {
  readonly issuer: Issuer;
  readonly audience: string;
  /** For the sign-on's provider: our name there. */
  readonly clientId: string | undefined;
  /** By a claim of the token, or the same for every token that meets the conditions. */
  readonly grants: RoleRules | { readonly claims: ReadonlyMap<string, string>; readonly grant: Grant };
}

/** Who shows a token. */
export interface TokenBearer {
  readonly issuer: string;
  readonly claims: CheckedClaims;
  readonly grant: Grant;
}

/** Throws `auth.token`, `auth.sign_on` (no role) or `auth.issuer`. */
export type CheckToken = (token: string) => Promise<TokenBearer>;

export function createTokenCheck(trusted: readonly TrustedIssuer[], clock: Pick<Clock, 'now'>): CheckToken {
  return async (token) => {
    const { iss } = parseJwt(token).claims;
    const entries = trusted.filter(({ issuer }) => typeof iss === 'string' && sameIssuer(issuer.name, iss));
    const [first] = entries;
    if (first === undefined) throw refused('it was issued by nobody who is trusted here ("iss")');
    // Entries of one issuer share its keys, so the signature is looked at once.
    const jwt = await verifySignature(token, first.issuer);
    const { issuer } = await first.issuer.metadata();
    let reason: unknown;
    for (const { audience, clientId, grants } of entries) {
      try {
        const claims = checkAccessToken(jwt, { issuer, audience, clientId, nowMs: clock.now() });
        return { issuer, claims, grant: 'map' in grants ? grantOf(claims.all, grants) : meets(claims.all, grants.claims, grants.grant) };
      } catch (error) {
        reason ??= error;
      }
    }
    throw reason;
  };
}

/** Which issuer to ask; its tokens must write exactly what it calls itself. */
function sameIssuer(configured: string, written: string): boolean {
  return configured === written || (URL.canParse(written) && new URL(configured).href === new URL(written).href);
}

function meets(claims: JsonObject, conditions: ReadonlyMap<string, string>, grant: Grant): Grant {
  for (const [name, wanted] of conditions) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    if (text !== wanted) throw refused(`its claim "${name}" is not what enterprise.auth.machines asks for`);
  }
  return grant;
}

function refused(found: string): LokiError {
  return new LokiError('auth.token', { attempted: 'accept the token', found });
}
