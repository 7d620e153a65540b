/**
 * Who is really at the other end, when a proxy stands between. Trusts what a proxy adds only when the connection comes from
 * one that is listed; of a chain of addresses it believes the listed ones from the right, and reads nothing beyond the first that
 * is not. A chain that cannot be read so far tells nothing: then it is the proxy that asks. `X-Forwarded-Host`, `Forwarded` and
 * `X-Real-IP` are never believed.
 */
import { isInBlock, parseAddress } from '../base/addresses.ts';
import type { HttpRequest, Peer } from '../base/http.ts';

/** A caller behind a proxy. */
export interface Client extends Peer {
  /** The proxy that its request came through last. */
  readonly via: string;
}

/** The caller behind a listed proxy; undefined when the peer is the caller itself, as far as anybody can tell. */
export type ClientOf = (request: Pick<HttpRequest, 'address' | 'secure' | 'headers' | 'overSocket'>) => Client | undefined;

/** Proxies one behind the other; a longer chain is made up. */
const longestChain = 32;

/** `trusted` holds addresses and blocks such as `10.1.0.0/16`. */
export function createClientOf(trusted: readonly string[]): ClientOf {
  const isTrusted = (address: string): boolean => {
    const bytes = parseAddress(address);
    return bytes !== undefined && trusted.some((block) => isInBlock(bytes, block));
  };
  return ({ address: peer, secure, headers, overSocket }) => {
    if (trusted.length === 0 || overSocket === true || !isTrusted(peer)) return undefined;
    const scheme = valuesOf(headers, 'x-forwarded-proto').at(-1)?.toLowerCase();
    return { address: callerIn(valuesOf(headers, 'x-forwarded-for'), isTrusted) ?? peer, secure: secure || scheme === 'https', via: peer };
  };
}

/** Fields by which a proxy says that it is one. */
const proxyFields: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']);

/** Whether a proxy that does not hide stands between. */
export function cameThroughProxy(headers: ReadonlyMap<string, string>): boolean {
  for (const name of proxyFields) if (headers.has(name)) return true;
  return false;
}

/** All values of a list field, in the order sent, over all its lines (RFC 9110 section 5.3). */
function valuesOf(headers: HttpRequest['headers'], name: string): readonly string[] {
  return headers.flatMap(([field, value]) => (field === name ? value.split(',').map((one) => one.replace(/^[ \t]+|[ \t]+$/g, '')) : []));
}

/** The rightmost address that is no proxy of ours, else the first of all; undefined when one that had to be read on the way there is none. */
function callerIn(values: readonly string[], isTrusted: (address: string) => boolean): string | undefined {
  let nearest: string | undefined;
  for (const [passed, value] of values.toReversed().entries()) {
    nearest = addressIn(value);
    if (nearest === undefined || passed >= longestChain) return undefined;
    if (!isTrusted(nearest)) return nearest;
  }
  return nearest;
}

/** `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:8080`; nothing else. */
function addressIn(value: string): string | undefined {
  if (value.length > 64) return undefined;
  const [, bracketed, four] = /^(?:\[([^\]%]+)\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::\d{1,5})?$/.exec(value) ?? [];
  const address = bracketed ?? four ?? (value.includes('%') ? '' : value);
  return parseAddress(address) === undefined ? undefined : address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}
