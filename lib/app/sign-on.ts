/**
 * Signing in, put together: the providers that the settings name, their documents kept in LOKI_HOME so that a restart needs no
 * network, and the keys that a command line gets. Nothing is asked of a provider before somebody signs in.
 */
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { isPlainObject, objectIn, type JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import type { Recorder } from '../audit/entry.ts';
import { httpClient } from '../host/http-client.ts';
import type { HttpClient } from '../ports.ts';
import type { DocumentMemory } from '../server/auth/fetched.ts';
import { createIssuer, type Issuer } from '../server/auth/issuer.ts';
import type { KeyRoom } from '../server/auth/key-room.ts';
import { keysOfSignOn } from '../server/auth/sign-on-keys.ts';
import { createSignOnService, type ProviderTerms, type SignOnService } from '../server/auth/sign-on-service.ts';
import type { TrustedIssuer } from '../server/auth/trusted-issuers.ts';
import type { Store } from '../store/store.ts';
import type { Installation } from './installation.ts';

export interface SignOnParts {
  /** The whole store. */
  readonly store: Store;
  readonly record: Recorder;
  readonly keys: KeyRoom;
  /** What `readAuthorities` gave. */
  readonly ca: string | undefined;
  /** The outside world; another one in tests. */
  readonly http?: HttpClient;
}

const largestDocument = 1 << 20;
const largestCa = 1 << 20;

export function openSignOn(installation: Installation, parts: SignOnParts): SignOnService {
  const { config, host } = installation;
  const { oidc, machines } = config.auth;
  const { record, http = httpClient } = parts;
  const issuers = issuerTable(installation, http, parts);
  return createSignOnService({
    store: parts.store, record, clock: host.clock, random: host.random, http,
    secure: config.server.tls.cert !== undefined || config.server.trustedProxies.length > 0 || oidc.redirectUri?.startsWith('https:') === true,
    provider: providerOf(installation, issuers),
    machines: machines.map(({ issuer, audience, claims, grant }): TrustedIssuer => ({ issuer: issuers(issuer), audience, clientId: undefined, grants: { claims, grant } })),
    ...keysOfSignOn({ store: parts.store, keys: parts.keys, clock: host.clock }),
  });
}

function providerOf({ config: { auth: { oidc } } }: Installation, issuers: (name: string) => Issuer): ProviderTerms | undefined {
  const { issuer, clientId, clientSecret, redirectUri, audience, scopes, roleClaim, roleMap, users } = oidc;
  if (issuer === undefined || clientId === undefined) return undefined;
  return { issuer: issuers(issuer), clientId, clientSecret, redirectUri, audience, scopes, roles: { claim: roleClaim, map: roleMap }, users };
}

/** One object for each issuer, however many entries name it: they share its keys. */
function issuerTable(installation: Installation, http: HttpClient, { record, ca }: SignOnParts): (name: string) => Issuer {
  const { config: { auth: { oidc } }, host: { clock } } = installation;
  const known = new Map<string, Issuer>();
  const onStale = (reason: string): void => {
    // Told, not required: signing in goes on.
    void Promise.resolve(record({ event: 'api.error', actor: 'system', resource: 'sign-on', details: { reason } })).catch(() => undefined);
  };
  return (name) => {
    const found = known.get(name) ?? createIssuer({
      issuer: name, http, clock, ca, onStale, memory: (document) => documentFile(installation, name, document), algorithms: name === oidc.issuer ? oidc.algorithms : undefined,
    });
    known.set(name, found);
    return found;
  };
}

/** Certificates of authorities that sign those of providers. Throws `config.invalid` when their file cannot be read. */
export function readAuthorities({ config: { auth: { oidc: { ca } } }, host: { disk } }: Installation): string | undefined {
  if (ca === undefined) return undefined;
  const bytes = disk.read(ca, largestCa);
  if (bytes === undefined) throw new LokiError('config.invalid', { attempted: 'use enterprise.auth.oidc.ca', found: `there is no file ${ca}` });
  return Buffer.from(bytes).toString('utf8');
}

/** A document of an issuer, in a file of its own. It holds public keys and addresses, and no secret. */
function documentFile({ host: { disk }, home }: Installation, issuer: string, name: string): DocumentMemory {
  const folder = join(home.keys, 'issuers');
  const path = join(folder, `${sha256Hex(issuer).slice(0, 32)}.${name}.json`);
  return {
    read() {
      const bytes = disk.stat(path) === undefined ? undefined : disk.readRecord(home.home, path, largestDocument);
      const { issuer: of, fetched_ms: fetchedMs, document } = (bytes === undefined ? undefined : objectIn(bytes)) ?? {};
      return of === issuer && typeof fetchedMs === 'number' && isObject(document) ? { fetchedMs, document } : undefined;
    },
    write({ fetchedMs, document }) {
      disk.ensureDirectory(home.home, folder, 0o700);
      disk.replace(home.home, path, Buffer.from(`${JSON.stringify({ issuer, fetched_ms: fetchedMs, document })}\n`), 0o600);
    },
  };
}

function isObject(value: unknown): value is JsonObject {
  return isPlainObject(value);
}
