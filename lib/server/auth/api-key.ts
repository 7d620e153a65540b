/**
 * Keys of the API as they are kept, and who a token makes its bearer. Of a token only the SHA-256 is kept, under which it is
 * found. Refuses what is mistyped, unknown, revoked, over, of a tenant that is gone, or shown from an address that the key is
 * not for.
 */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isInBlock, parseAddress } from '../../base/addresses.ts';
import { secretsEqual, sha256Hex } from '../../base/digest.ts';
import { isToken, isTokenShaped, tokenHash } from '../../base/token.ts';
import { LokiError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { tenantPrefix } from '../../store/tenant-view.ts';
import { roleScopes, type Principal, type Role, type Scope } from '../principal.ts';
import { refused, type ReadToken } from './authenticate.ts';

/** A key as it is kept. Times are ISO 8601, UTC. */
export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly role: Role | null;
  /** Beside those of the role. */
  readonly scopes: readonly Scope[];
  readonly tenant_id: string | null;
  /** The person who decides when this key does: `user:alice`; null for a machine's. */
  readonly owner: string | null;
  /** Where it may be shown from; everywhere when empty. */
  readonly cidrs: readonly string[];
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  /** To five minutes. */
  readonly last_used: string | null;
  readonly rotated_from: string | null;
  readonly revoked_at: string | null;
  /** The last four characters of the token. */
  readonly hint: string;
  readonly sha256: string;
};

/** Where keys are, in the view of their tenant; and where their hashes lead, at the root. */
export const keyKeys = {
  key: (id: string): string => `keys/${id}`,
  keys: 'keys/',
  hash: (sha256: string): string => `key-hashes/${sha256}`,
  /** In the view of their tenant: who took a name last. Whoever takes one changes it, so that of two at the same time one fails. */
  name: (name: string): string => `key-names/${sha256Hex(name)}`,
} as const;

export function keyValue(key: ApiKey): JsonObject {
  return { ...key };
}

/** A value was checked when it was written; what is not of its form did not come from here. */
export function readKey(value: JsonValue): ApiKey {
  const key = value as unknown as Partial<ApiKey> | null;
  if (typeof key !== 'object' || key === null || typeof key.id !== 'string' || typeof key.sha256 !== 'string' || !Array.isArray(key.scopes)) {
    throw new LokiError('store.corrupt', { attempted: 'read a stored key', found: 'it is none' });
  }
  return key as ApiKey;
}

export type KeyState = 'active' | 'expired' | 'revoked';

export function stateOf({ revoked_at, expires_at }: Pick<ApiKey, 'revoked_at' | 'expires_at'>, nowMs: number): KeyState {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= nowMs ? 'expired' : 'active';
}

export interface KeyReaderOptions {
  /** The whole store. */
  readonly store: Store;
  now(): number;
  /** A use is worth writing down; must not throw. */
  used(key: ApiKey): void;
}

/** A key, and who its token makes its bearer. */
interface KnownKey {
  readonly key: ApiKey;
  readonly principal: Principal;
}

const mostKnown = 1000;

/** Reads tokens of keys. Throws `auth.required` for one that does not count, with the reason for the log. */
export function createKeyReader({ store, now, used }: KeyReaderOptions): ReadToken {
  let known = { revision: -1, keys: new Map<string, KnownKey>() };

  /** What was read stands until anything in the store changes, whoever changes it: a key that was revoked is none at once. */
  const keyOf = async (sha256: string): Promise<KnownKey | undefined> => {
    const revision = await store.revision();
    if (known.revision !== revision || known.keys.size >= mostKnown) known = { revision, keys: new Map() };
    const { keys } = known;
    const before = keys.get(sha256);
    if (before !== undefined) return before;
    const key = await readKeyOf(sha256);
    if (key === undefined || !secretsEqual(key.sha256, sha256)) return undefined;
    const found = { key, principal: principalOf(key) };
    keys.set(sha256, found);
    return found;
  };

  const readKeyOf = async (sha256: string): Promise<ApiKey | undefined> => {
    const found = (await store.get(keyKeys.hash(sha256)))?.value as { readonly tenant_id?: JsonValue; readonly id?: JsonValue } | undefined;
    if (found === undefined || typeof found.id !== 'string') return undefined;
    const tenant = typeof found.tenant_id === 'string' ? found.tenant_id : null;
    if (tenant !== null && await store.get(`tenants/${tenant}`) === undefined) throw refused('its tenant does not exist any more');
    const entry = await store.get(tenantPrefix(tenant) + keyKeys.key(found.id));
    return entry === undefined ? undefined : readKey(entry.value);
  };
  return async (token, address) => {
    if (!isTokenShaped(token)) return undefined;
    const sha256 = tokenHash(token);
    const found = await keyOf(sha256);
    if (found === undefined) throw refused(isToken(token) ? 'the token is not known here' : 'the token is mistyped: its checksum does not match');
    const { key, principal } = found;
    const state = stateOf(key, now());
    if (state !== 'active') throw refused(`the key "${key.name}" ${state === 'revoked' ? 'was revoked' : 'has expired'}`);
    if (!isFrom(key.cidrs, address)) throw refused(`the key "${key.name}" is not for the address ${address}`);
    used(key);
    return principal;
  };
}

export function principalOf({ id, name, role, scopes, tenant_id, owner }: ApiKey): Principal {
  return {
    kind: 'key', actor: `token:${name}`, scopes: new Set<Scope>([...(role === null ? [] : roleScopes[role]), ...scopes]), anonymous: false, tenant: tenant_id, keyId: id,
    ...(role === null ? {} : { role }), ...(owner === null ? {} : { owner }),
  };
}

function isFrom(cidrs: readonly string[], address: string): boolean {
  if (cidrs.length === 0) return true;
  const bytes = parseAddress(address);
  return bytes !== undefined && cidrs.some((block) => isInBlock(bytes, block));
}
