/**
 * An identity provider: what it says about itself (OpenID Connect Discovery 1.0) and the keys it signs with. Asked at first
 * use, never before. Trusts the name that was configured and nothing else: a document of another issuer, and an endpoint
 * without TLS, are refused; plain http counts only for a provider on this machine.
 */
import { jwsAlgorithms, publicJwk, isJwsAlgorithm, type JwsAlgorithm, type PublicJwk } from '../../base/jws.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { Clock, HttpClient } from '../../ports.ts';
import { isLoopback } from '../listen.ts';
import { createFetched, issuerFailed, usualFetchTimes, type DocumentMemory, type Fetched, type FetchTimes } from './fetched.ts';

/** What we use of a provider's metadata. */
export interface IssuerMetadata {
  /** As tokens must write it. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly userinfoEndpoint: string | undefined;
  readonly endSessionEndpoint: string | undefined;
  /** Answers of its authorization endpoint carry `iss` (RFC 9207). */
  readonly namesItself: boolean;
  /** Algorithms of its id tokens that we know; undefined when it does not say. */
  readonly algorithms: readonly JwsAlgorithm[] | undefined;
  /** Ways in which we may show our secret at its token endpoint. */
  readonly clientAuthentication: readonly string[];
}

export interface IssuerOptions {
  readonly issuer: string;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Certificates of authorities, as PEM. */
  readonly ca?: string | undefined;
  /** Algorithms that are accepted, instead of those that the provider names. */
  readonly algorithms?: readonly JwsAlgorithm[] | undefined;
  /** Where the documents of the provider are kept for the next start. */
  readonly memory?: ((name: 'metadata' | 'keys') => DocumentMemory) | undefined;
  readonly onStale: (words: string) => void;
  readonly times?: Partial<FetchTimes> | undefined;
}

export interface Issuer {
  /** As it is configured. */
  readonly name: string;
  readonly ca: string | undefined;
  metadata(): Promise<IssuerMetadata>;
  readonly keys: Fetched<readonly PublicJwk[]>;
  /** What a token may be signed with: the setting, else what the provider says, else RS256. Throws `auth.issuer` when nothing is left. */
  algorithms(): Promise<readonly JwsAlgorithm[]>;
}

const most = { metadataBytes: 256 * 1024, keysBytes: 512 * 1024, keys: 200 };

export function createIssuer(options: IssuerOptions): Issuer {
  const { issuer, ca } = options;
  const times = { ...usualFetchTimes, ...options.times };
  const common = { http: options.http, clock: options.clock, ca, onStale: options.onStale };
  const metadata = createFetched<IssuerMetadata>({
    ...common, what: `the metadata of ${issuer}`, url: () => discoveryUrl(issuer), limit: most.metadataBytes,
    read: (document) => readMetadata(document, issuer), times: { ...times, maxAgeMs: Math.max(times.maxAgeMs, 3_600_000) }, memory: options.memory?.('metadata'),
  });
  const keys = createFetched<readonly PublicJwk[]>({
    ...common, what: `the keys of ${issuer}`, url: async () => (await metadata.current()).jwksUri, limit: most.keysBytes,
    read: (document) => readKeys(document, issuer), times, memory: options.memory?.('keys'),
  });
  return {
    name: issuer, ca, keys, metadata: () => metadata.current(),
    async algorithms() {
      const accepted = options.algorithms ?? (await metadata.current()).algorithms ?? ['RS256'];
      if (accepted.length === 0) throw issuerFailed(`the metadata of ${issuer}`, `it signs with none of ${jwsAlgorithms.join(', ')}`);
      return accepted;
    },
  };
}

/** Where a provider describes itself (Discovery, section 4). */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Whether an address may be asked for something secret: with TLS, or on this machine for a provider on this machine. */
export function isSafeUrl(text: string, issuer: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  const local = (host: string): boolean => isLoopback(host.replace(/^\[(.*)\]$/, '$1'));
  return protocol === 'https:' || (protocol === 'http:' && local(hostname) && new URL(issuer).protocol === 'http:');
}

function readMetadata(document: JsonObject, configured: string): IssuerMetadata {
  const what = `the metadata of ${configured}`;
  const { issuer } = document;
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || new URL(issuer).href !== new URL(configured).href) {
    throw issuerFailed(what, `it calls itself ${quoted(issuer)}; enterprise.auth.oidc.issuer must be what the provider calls itself`);
  }
  const endpoint = (name: string): string | undefined => {
    const value = document[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || !isSafeUrl(value, configured)) throw issuerFailed(what, `its ${name} is ${quoted(value)}, which is no https address`);
    return value;
  };
  const jwksUri = endpoint('jwks_uri');
  if (jwksUri === undefined) throw issuerFailed(what, 'it names no jwks_uri');
  const named = document['id_token_signing_alg_values_supported'];
  const ways = document['token_endpoint_auth_methods_supported'];
  return {
    issuer, jwksUri, authorizationEndpoint: endpoint('authorization_endpoint'), tokenEndpoint: endpoint('token_endpoint'),
    userinfoEndpoint: endpoint('userinfo_endpoint'), endSessionEndpoint: endpoint('end_session_endpoint'),
    namesItself: document['authorization_response_iss_parameter_supported'] === true,
    algorithms: Array.isArray(named) ? named.filter(isJwsAlgorithm) : undefined,
    clientAuthentication: Array.isArray(ways) ? ways.filter((way) => typeof way === 'string') : ['client_secret_basic'],
  };
}

/** Keys that cannot be used are left aside: a set may hold those of kinds that are not known yet. */
function readKeys(document: JsonObject, issuer: string): readonly PublicJwk[] {
  const what = `the keys of ${issuer}`;
  const { keys } = document;
  if (!Array.isArray(keys)) throw issuerFailed(what, 'the answer is no key set');
  if (keys.length > most.keys) throw issuerFailed(what, `it has ${keys.length} keys; at most ${most.keys} are read`);
  const usable = keys.map((key: JsonValue) => publicJwk(key)).filter((key) => key !== undefined);
  if (usable.length === 0) throw issuerFailed(what, 'none of its keys can be used to check a signature');
  return usable;
}

function quoted(value: JsonValue | undefined): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 200)) : 'no text';
}
