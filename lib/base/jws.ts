/**
 * Signatures of JSON web tokens (RFC 7515, 7518, 8037) by keys in JSON (RFC 7517): RSA with PKCS #1 and PSS padding, ECDSA,
 * Ed25519. One table says what each algorithm is. Refuses keys that are too short or of another curve, private and shared
 * secrets, and signatures in any form but the one the standard gives; knows neither `none` nor HMAC.
 */
import * as crypto from 'node:crypto';
import type { JsonObject, JsonValue } from './json.ts';

/** The algorithms, as a token's header names them. */
export const jwsAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;
export type JwsAlgorithm = (typeof jwsAlgorithms)[number];

interface Row {
  readonly kty: 'RSA' | 'EC' | 'OKP';
  /** Of the signature; for Ed25519, which hashes itself, the one it uses. */
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly crv?: string;
  readonly pss?: true;
  /** Bytes of a signature, where they do not depend on the key. */
  readonly length?: number;
}

const rows: Readonly<Record<JwsAlgorithm, Row>> = {
  RS256: { kty: 'RSA', hash: 'sha256' },
  RS384: { kty: 'RSA', hash: 'sha384' },
  RS512: { kty: 'RSA', hash: 'sha512' },
  PS256: { kty: 'RSA', hash: 'sha256', pss: true },
  PS384: { kty: 'RSA', hash: 'sha384', pss: true },
  PS512: { kty: 'RSA', hash: 'sha512', pss: true },
  ES256: { kty: 'EC', hash: 'sha256', crv: 'P-256', length: 64 },
  ES384: { kty: 'EC', hash: 'sha384', crv: 'P-384', length: 96 },
  ES512: { kty: 'EC', hash: 'sha512', crv: 'P-521', length: 132 },
  EdDSA: { kty: 'OKP', hash: 'sha512', crv: 'Ed25519', length: 64 },
};

/** Shorter RSA keys are refused (RFC 7518, section 3.3); longer ones would let a key cost more than a request. */
const rsaBits = { least: 2048, most: 16_384 };

export function isJwsAlgorithm(value: unknown): value is JwsAlgorithm {
  return typeof value === 'string' && Object.hasOwn(rows, value);
}

/** A public key of an issuer, and what it says it is for. */
export interface PublicJwk {
  readonly kid: string | undefined;
  readonly kty: string;
  readonly crv: string | undefined;
  readonly alg: string | undefined;
  readonly key: crypto.KeyObject;
}

/** The key in a JSON Web Key; undefined for one that cannot be used to check signatures here, whatever the reason. */
export function publicJwk(jwk: JsonValue): PublicJwk | undefined {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return undefined;
  const { kid, kty, crv, alg, use, key_ops: operations } = jwk as JsonObject;
  const texts = [kid, crv, alg].every((value) => value === undefined || typeof value === 'string');
  const forChecking = (use === undefined || use === 'sig') && (operations === undefined || (Array.isArray(operations) && operations.includes('verify')));
  if (!texts || !forChecking || (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP')) return undefined;
  try {
    const key = crypto.createPublicKey({ key: publicMembers(jwk as JsonObject), format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (kty === 'RSA' && (bits === undefined || bits < rsaBits.least || bits > rsaBits.most)) return undefined;
    return { kid: textOf(kid), kty, crv: textOf(crv), alg: textOf(alg), key };
  } catch {
    return undefined;
  }
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A set that shows a private key by mistake is still checked against with the public half alone. */
function publicMembers(jwk: JsonObject): crypto.JsonWebKey {
  const members = Object.entries(jwk).filter((entry): entry is [string, string] => ['kty', 'crv', 'x', 'y', 'n', 'e'].includes(entry[0]) && typeof entry[1] === 'string');
  return Object.fromEntries(members);
}

/** Whether a key may check signatures of the algorithm. */
export function suits(alg: JwsAlgorithm, key: PublicJwk): boolean {
  const { kty, crv } = rows[alg];
  return key.kty === kty && key.crv === crv && (key.alg === undefined || key.alg === alg || (alg === 'EdDSA' && key.alg === 'Ed25519'));
}

/** Whether the signature is one of the text by that key. */
export function verifyJws(alg: JwsAlgorithm, key: PublicJwk, signed: string, signature: Uint8Array): boolean {
  const { kty, hash, pss, length } = rows[alg];
  if (!suits(alg, key) || (length !== undefined && signature.length !== length)) return false;
  try {
    const data = Buffer.from(signed, 'latin1');
    if (kty === 'OKP') return crypto.verify(null, data, key.key, signature);
    if (kty === 'EC') return crypto.verify(hash, data, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature);
    if (pss !== true) return crypto.verify(hash, data, { key: key.key, padding: crypto.constants.RSA_PKCS1_PADDING }, signature);
    return crypto.verify(hash, data, { key: key.key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }, signature);
  } catch {
    return false;
  }
}

/** `at_hash`, `c_hash`, `s_hash` of a value: the left half of its hash (OpenID Connect Core, section 3.1.3.6). */
export function leftHalfHash(alg: JwsAlgorithm, value: string): string {
  const digest = crypto.createHash(rows[alg].hash).update(value, 'latin1').digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}

/** The S256 challenge of a PKCE verifier (RFC 7636, section 4.2). */
export function pkceChallenge(verifier: string): string {
  return crypto.createHash('sha256').update(verifier, 'latin1').digest('base64url');
}
