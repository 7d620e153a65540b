/**
 * A JSON web token in its compact form (RFC 7515, section 3.1), taken apart and not yet believed. Refuses what two readers
 * could read differently: other than three parts, base64url with padding, spaces or bits left over, bytes that are no UTF-8,
 * a member named twice. Messages never repeat any of it: a token is a secret.
 */
import { LokiError } from '../errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { parseStrictJson } from './strict-json.ts';

/** More than any provider puts into a token, and less than a header field may hold. */
export const longestJwt: number = 16 * 1024;

/** What a token says, before anybody has looked whether it is true. */
export interface UnverifiedJwt {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  /** The text that the signature is over. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** Takes a token apart. Throws `auth.token`. */
export function parseJwt(token: string): UnverifiedJwt {
  if (token.length > longestJwt) throw refused(`it is ${token.length} characters long; at most ${longestJwt} are read`);
  const parts = token.split('.', 6);
  if (parts.length === 5) throw refused('it has five parts, as an encrypted token does; only signed ones are read');
  const [header, claims, signature] = parts;
  if (header === undefined || claims === undefined || signature === undefined || parts.length !== 3) throw refused('it does not have three parts');
  return {
    header: objectIn(header, 'header'), claims: objectIn(claims, 'claims'),
    signed: `${header}.${claims}`, signature: bytesOf(signature, 'signature'),
  };
}

/** Whether a text has the form of a token: three parts with points between. Tells them from keys of our own. */
export function looksLikeJwt(text: string): boolean {
  return /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(text);
}

function bytesOf(part: string, what: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url');
  // Only the one canonical writing of the bytes comes back the same.
  if (bytes.toString('base64url') !== part) throw refused(`its ${what} is not base64url`);
  return bytes;
}

function objectIn(part: string, what: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(part, what));
  } catch (error) {
    throw error instanceof LokiError ? error : refused(`its ${what} is not UTF-8`);
  }
  // RFC 8259, section 8.1: some readers drop it and some do not.
  if (text.startsWith('\ufeff')) throw refused(`its ${what} begins with a byte order mark`);
  const value = parseStrictJson(text, `the ${what} of the token`, 'auth.token');
  if (!isJsonObject(value)) throw refused(`its ${what} is not a JSON object`);
  return value;
}

/** What came out of JSON and is an object holds nothing but JSON. */
function isJsonObject(value: unknown): value is JsonObject & Readonly<Record<string, JsonValue>> {
  return isPlainObject(value);
}

function refused(found: string): LokiError {
  return new LokiError('auth.token', { attempted: 'read the token', found });
}
