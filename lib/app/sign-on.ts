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
import { keyKeys, principalOf, readKey, stateOf } from '../server/auth/api-key.ts';
import type { DocumentMemory } from '../server/auth/fetched.ts';
import { createIssuer, type Issuer } from '../server/auth/issuer.ts';
import type { KeyRoom } from '../server/auth/key-room.ts';
import { createSignOnService, type ProviderTerms, type SignOnService, type SignOnServiceOptions } from '../server/auth/sign-on-service.ts';
import type { TrustedIssuer } from '../server/auth/trusted-issuers.ts';
import type { Store } from '../store/store.ts';
import { tenantPrefix } from '../store/tenant-view.ts';
import type { Installation } from './installation.ts';

export interface SignOnParts {
  /** The whole store. */
  readonly store: Store;
  readonly record: Recorder;
  readonly keys: KeyRoom;
  /** The outside world; another one in tests. */
  readonly http?: HttpClient;
}

const largestDocument = 1 << 20;
const largestCa = 1 << 20;

/** Throws `config.invalid` when the file of authorities cannot be read. */
export function openSignOn(installation: Installation, parts: SignOnParts): SignOnService {
  const { config, host } = installation;
  const { oidc, machines } = config.auth;
  const { record, http = httpClient } = parts;
  const issuers = issuerTable(installation, http, record);
  return createSignOnService({
    store: parts.store, record, clock: host.clock, random: host.random, http,
    secure: config.server.tls.cert !== undefined || oidc.redirectUri?.startsWith('https:') === true,
    provider: providerOf(installation, issuers),
    machines: machines.map(({ issuer, audience, claims, grant }): TrustedIssuer => ({ issuer: issuers(issuer), audience, clientId: undefined, grants: { claims, grant } })),
    ...keyDoors(installation, parts),
  });
}

function providerOf({ config: { auth: { oidc } } }: Installation, issuers: (name: string) => Issuer): ProviderTerms | undefined {
  const { issuer, clientId, clientSecret, redirectUri, audience, scopes, roleClaim, roleMap, users } = oidc;
  if (issuer === undefined || clientId === undefined) return undefined;
  return { issuer: issuers(issuer), clientId, clientSecret, redirectUri, audience, scopes, roles: { claim: roleClaim, map: roleMap }, users };
}

/** One object for each issuer, however many entries name it: they share its keys. */
function issuerTable(installation: Installation, http: HttpClient, record: Recorder): (name: string) => Issuer {
  const { config: { auth: { oidc } }, host: { clock } } = installation;
  const ca = authorities(installation);
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

function authorities({ config: { auth: { oidc: { ca } } }, host: { disk } }: Installation): string | undefined {
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

/** What sign-on needs of keys: those behind sessions, those of command lines. */
function keyDoors({ host: { clock } }: Installation, { store, keys }: SignOnParts): Pick<SignOnServiceOptions, 'principalOfKey' | 'issueKey' | 'revokeKey'> {
  return {
    async principalOfKey(tenant, id) {
      const entry = await store.get(tenantPrefix(tenant) + keyKeys.key(id));
      const tenantLives = tenant === null || await store.get(`tenants/${tenant}`) !== undefined;
      const key = entry === undefined || !tenantLives ? undefined : readKey(entry.value);
      if (key === undefined || stateOf(key, clock.now()) !== 'active') return undefined;
      return { principal: principalOf(key), movable: key.cidrs.length === 0, endsMs: key.expires_at === null ? undefined : Date.parse(key.expires_at) };
    },
    async issueKey({ name, owner, tenant, scopes, expiresMs }) {
      const { key, token } = await keys.mint({ name, tenant, owner, scopes, expiresAt: new Date(expiresMs).toISOString() }, { actor: owner, scopes: new Set(scopes) });
      return { id: key.id, token };
    },
    async revokeKey(principal) {
      const found = principal.keyId === undefined ? undefined : await keys.find(principal.tenant, principal.keyId);
      if (found !== undefined) await keys.revoke(found, principal);
    },
  };
}
