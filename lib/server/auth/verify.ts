/**
 * Whether a token was signed by its issuer. Trusts only the issuer's own key set: what a token says about keys in its header
 * (`jwk`, `jku`, `x5c`, `x5u`) is never looked at, and an extension that must be understood (`crit`) is refused. Exactly one
 * key must fit; a key that is missing makes the set be fetched again, within its cooldown.
 */
import { LokiError } from '../../errors.ts';
import { isJwsAlgorithm, suits, verifyJws, type JwsAlgorithm, type PublicJwk } from '../../base/jws.ts';
import type { JsonObject } from '../../base/json.ts';
import { parseJwt, type UnverifiedJwt } from '../../formats/jwt.ts';
import type { Issuer } from './issuer.ts';

/** A token whose signature is right. Its claims are still only claims. */
export interface SignedJwt {
  readonly alg: JwsAlgorithm;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Checks the signature. Throws `auth.token`, or `auth.issuer` when the keys cannot be had. */
export async function verifySignature(token: string, issuer: Issuer): Promise<SignedJwt> {
  const parsed = parseJwt(token);
  const { alg, crit, kid } = parsed.header;
  if (!isJwsAlgorithm(alg)) throw refused(`its algorithm is ${typeof alg === 'string' ? JSON.stringify(alg.slice(0, 20)) : 'not named'}, which is never accepted`);
  if (crit !== undefined) throw refused('its header has "crit", and no extension is understood here');
  if (kid !== undefined && typeof kid !== 'string') throw refused('the "kid" of its header is no text');
  const accepted = await issuer.algorithms();
  if (!accepted.includes(alg)) throw refused(`its algorithm is "${alg}"; of this issuer ${accepted.join(', ')} is accepted`);
  const known = look(parsed, alg, kid, await issuer.keys.current());
  if (known === undefined) return { alg, header: parsed.header, claims: parsed.claims };
  const newer = await issuer.keys.newer();
  const reason = newer === undefined ? known : look(parsed, alg, kid, newer);
  if (reason === undefined) return { alg, header: parsed.header, claims: parsed.claims };
  throw refused(reason);
}

/** What is wrong with the signature; undefined when nothing is. */
function look({ signed, signature }: UnverifiedJwt, alg: JwsAlgorithm, kid: string | undefined, keys: readonly PublicJwk[]): string | undefined {
  const [key, ...others] = keys.filter((one) => suits(alg, one) && (kid === undefined || one.kid === kid));
  if (key === undefined) return kid === undefined ? `its issuer has no key for ${alg}` : 'its issuer has no key of that "kid" for its algorithm';
  if (others.length > 0) return kid === undefined ? 'its issuer has several keys for its algorithm, and it does not say which ("kid")' : 'its issuer has several keys of that "kid"';
  return verifyJws(alg, key, signed, signature) ? undefined : 'its signature is wrong';
}

function refused(found: string): LokiError {
  return new LokiError('auth.token', { attempted: 'accept the token', found });
}
