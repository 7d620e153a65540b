/** How answers are made: JSON, problems, and the header fields every answer carries. */
import { problemDocument, problemMediaType, statusOf } from '../formats/problem.ts';
import type { ApiResponse } from './message.ts';
import { tagOf } from './objects.ts';

/** Nothing from elsewhere, nothing inline, no frames, no forms. */
export const contentSecurityPolicy: string =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Fields of every answer. A later set of the same name wins. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Cache-Control': 'no-store',
};

/** How a request came: over TLS, and to a server that lets pages of other sites in. */
export interface Way {
  readonly secure: boolean;
  readonly varies: boolean;
}

/** Of every answer that comes this way. Made once: they are most of what an answer says. */
function placeHeaders({ secure, varies }: Way): Readonly<Record<string, string>> {
  return { ...commonHeaders, ...(secure ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}), ...(varies ? { Vary: 'Origin' } : {}) };
}

const places = [false, true].map((secure) => [false, true].map((varies) => placeHeaders({ secure, varies })));

/**
 * All fields of an answer: `own` over those of the place. What differs stands first: an object that has been copied from another
 * and then grows by names costs twenty times as much.
 */
export function answerHeaders(requestId: string, { secure, varies }: Way, allowance: Readonly<Record<string, string>> | undefined, own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const place = places[Number(secure)]?.[Number(varies)];
  const vary = varies && own['Vary'] !== undefined ? { Vary: `Origin, ${own['Vary']}` } : undefined;
  return { 'X-Request-Id': requestId, ...allowance, ...place, ...own, ...vary };
}

export function jsonResponse(value: unknown, headers: Readonly<Record<string, string>> = {}, status: number = 200): ApiResponse {
  return jsonText(JSON.stringify(value), headers, status);
}

export function jsonText(body: string, headers: Readonly<Record<string, string>> = {}, status: number = 200): ApiResponse {
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body };
}

/** One object, where it is, with its entity tag; or 304 when the caller has it in this state already. */
export function objectResponse(value: unknown, key: string, ifNoneMatch: string | undefined): ApiResponse {
  const tag = tagOf(key, JSON.stringify(value));
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, tag)) return { status: 304, headers: { ETag: tag } };
  return jsonResponse(value, { ETag: tag });
}

/** Whether an If-None-Match names the tag (RFC 9110, section 13.1.2: weak comparison). */
export function matches(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
}

export function problemResponse(error: unknown, requestId: string, headers: Readonly<Record<string, string>> = {}, status: number = statusOf(error)): ApiResponse {
  const document = problemDocument(error, requestId, status);
  const challenge: Record<string, string> = status === 401 ? { 'WWW-Authenticate': 'Bearer realm="loki"' } : {};
  return { status, headers: { 'Content-Type': problemMediaType, ...challenge, ...headers }, body: JSON.stringify(document) };
}
