/**
 * Whether a request that a cookie speaks for was made by our own page. A cookie is sent along whoever makes the request, so
 * for anything but looking the browser must say that the page is ours; a request that says nothing is refused. (The body
 * must be JSON besides, which no form of another site can send.)
 */
import { LokiError } from '../../errors.ts';

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Throws `request.origin`. Headers by lower-case name; the door has already refused origins that are on no list. */
export function requireOwnPage(method: string, headers: ReadonlyMap<string, string>, secure: boolean): void {
  if (safe.has(method)) return;
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin')?.toLowerCase();
  const own = `${secure ? 'https' : 'http'}://${(headers.get('host') ?? '').toLowerCase()}`;
  const ownSite = site === undefined ? origin === own : site === 'same-origin' || site === 'none';
  // A listed site of another origin may call with a key of its own, never with the cookie of whoever visits it.
  if (ownSite && (origin === undefined || origin === own || site === 'same-origin')) return;
  throw new LokiError('request.origin', {
    attempted: 'accept the request', found: 'it carries a session cookie, and the browser does not say that a page of this control plane made it',
    hint: 'Outside a browser, send a key as Authorization: Bearer loki_…',
  });
}
