/**
 * The way out for messages to addresses that somebody else named: a policy's webhook, later an integration's. Decides whether
 * a URL may be called and at which addresses; trusts neither the URL nor the name server. The caller connects to one of the
 * addresses that were judged, and to no other: a name that is asked for again may lead elsewhere by then.
 */
import { LokiError } from '../errors.ts';
import type { Sockets } from '../ports.ts';
import { internalAddress, isListed, parseAddress } from './addresses.ts';

/** What an administrator allows. */
export interface EgressRules {
  /** `enterprise.egress.allow_internal`: hosts, addresses and blocks. */
  readonly allowed: readonly string[];
  /** `residency.air_gapped`: nothing is called but what is listed. */
  readonly airGapped: boolean;
}

/** A URL that may be called, once its addresses are known. */
export interface EgressTarget {
  readonly url: string;
  /** Scheme, host and port: what may be told of it. A path may hold a secret. */
  readonly origin: string;
  /** As a name or an address without brackets, in lower case, without a dot at the end. */
  readonly host: string;
}

const longestUrl = 2048;
/** Where web servers of others listen. */
const usualPorts: ReadonlySet<string> = new Set(['', '443', '8443']);
/** Names that mean this machine or its network. */
const internalName = /^(?:[^.]+|(?:.*\.)?(?:localhost|local|internal|localdomain|home\.arpa))$/;
const resolveTimeoutMs = 5_000;
const listHint = 'If it is meant to be called, list it in LOKI_ALLOWED_INTERNAL_HOSTS (enterprise.egress.allow_internal)';

/** Judges a URL by its text. Throws `net.unreachable` with what is wrong with it. */
export function egressTarget(text: string, { allowed, airGapped }: EgressRules): EgressTarget {
  const refuse = (where: string, found: string, hint?: string): LokiError => new LokiError('net.unreachable', { attempted: `call ${where}`, found, ...(hint === undefined ? {} : { hint }) });
  if (text.length > longestUrl || !URL.canParse(text)) throw refuse('a URL', text.length > longestUrl ? `it is longer than ${longestUrl} characters` : 'it is none', 'Correct the URL');
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '').toLowerCase();
  const origin = `${url.protocol}//${url.host}`;
  const listed = isListed(host, allowed);
  if (url.username !== '' || url.password !== '') throw refuse(origin, 'it carries a user name or password', 'Leave them out');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && listed)) throw refuse(origin, 'it is not https', listHint);
  if (!usualPorts.has(url.port) && !listed) throw refuse(origin, `port ${url.port} is neither 443 nor 8443`, listHint);
  if (airGapped && !listed) throw refuse(origin, 'this installation is air-gapped (residency.air_gapped)', listHint);
  if (parseAddress(host) === undefined && internalName.test(host) && !listed) throw refuse(origin, 'the name is one of this machine or its network', listHint);
  return { url: url.href, origin, host };
}

/** The addresses of a target, each one that may be reached. Throws `net.unreachable` when any of them may not: one name for both is a trap. */
export async function egressAddresses({ host, origin }: EgressTarget, { allowed }: EgressRules, sockets: Pick<Sockets, 'resolve'>): Promise<readonly string[]> {
  const addresses = await sockets.resolve(host, resolveTimeoutMs);
  for (const address of addresses) {
    const what = internalAddress(host, address, allowed);
    if (what !== undefined) throw new LokiError('net.unreachable', { attempted: `call ${origin}`, found: `${address} is ${what}`, hint: listHint });
  }
  if (addresses.length === 0) throw new LokiError('net.unreachable', { attempted: `call ${origin}`, found: 'it has no address' });
  return addresses;
}
