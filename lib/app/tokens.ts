/**
 * Keys of the API without the API: made, rotated, revoked and listed in the store of this machine, whether or not a control plane
 * runs. Whoever may write LOKI_HOME administers the installation, so no key is asked for; that a person stands behind what they do
 * is proven before (contract section 3), and the proof is in the entry that tells of it.
 */
import { isId } from '../base/ids.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { LokiError } from '../errors.ts';
import type { Prove } from '../approvals/proof.ts';
import type { Recorder } from '../audit/entry.ts';
import { readKey, stateOf, type ApiKey } from '../server/auth/api-key.ts';
import type { Asker, FoundKey, KeyRoom, MintedKey } from '../server/auth/key-room.ts';
import { listObjects } from '../server/objects.ts';
import { grantableScopes, roleScopes, type Role, type Scope } from '../server/principal.ts';
import { fitting, listOf, nullable, record as recordOf, type Shape } from '../server/shape.ts';
import * as shapes from '../server/shapes.ts';
import type { Store } from '../store/store.ts';
import { keyTerms } from '../store/indexes.ts';
import { keyRoom } from './api-keys.ts';
import { provenRecorder } from './approver.ts';
import { openRecord } from './audit/record.ts';
import { prepareHome, type Installation } from './installation.ts';
import { openStore } from './store.ts';

export const keyRoles: readonly Role[] = Object.keys(roleScopes) as readonly Role[];
export const keyScopes: readonly Scope[] = grantableScopes;

/** Who acts, as an audit actor, and what proves it where that is needed. */
export interface Person {
  readonly by: string;
  readonly prove?: Prove;
}

/** What a key is wanted for, as a person wrote it. */
export interface TokenWish {
  readonly name: string;
  readonly role: string | null;
  readonly scopes: readonly string[];
  readonly owner: string | null;
  readonly cidrs: readonly string[];
  readonly expires_at: string | null;
  /** A tenant's id or slug; null for the installation. */
  readonly tenant: string | null;
}

/** What a check leaves. */
export interface CheckedWish {
  readonly name: string;
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
  readonly owner: string | null;
  readonly cidrs: readonly string[];
}

const wishShape: Shape<CheckedWish> = recordOf({ name: shapes.keyName, role: nullable(shapes.role), scopes: listOf(shapes.scope, 10), owner: nullable(shapes.owner), cidrs: listOf(shapes.cidr, 100) });

/** Throws `request.invalid` with every mistake, before anybody is asked for a passphrase. */
export function checkWish({ tenant: _tenant, expires_at: _end, ...wish }: TokenWish): CheckedWish {
  return fitting(wishShape, wish, `make the key "${wish.name.slice(0, 100)}"`);
}

/** Makes a key. Throws as `KeyRoom.mint`. */
export function makeToken(installation: Installation, person: Required<Person>, wish: TokenWish): Promise<JsonObject> {
  const attempted = `make the key "${wish.name}"`;
  const checked = checkWish(wish);
  return withKeys(installation, person, attempted, async ({ store, room, asker, show }) => {
    const tenant = await tenantOf(store, wish.tenant, attempted);
    return show(await room.mint({ ...checked, tenant, expiresAt: wish.expires_at }, asker));
  });
}

/** A new token for a key that counts; the old one goes on working for a while. Throws as `KeyRoom.rotate`. */
export function rotateToken(installation: Installation, person: Required<Person>, key: JsonObject, graceHours: number): Promise<JsonObject> {
  return withKeys(installation, person, `rotate the key "${String(key['name'])}"`, async ({ room, asker, show }) => show(await room.rotate(await found(room, key), graceHours, asker)));
}

/** Ends keys, without a proof: nobody gets anything by it. Gives them as they then are. */
export function revokeTokens(installation: Installation, by: string, keys: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  return withKeys(installation, { by }, 'revoke a key', async ({ room, asker, shown }) => {
    const revoked: JsonObject[] = [];
    for (const key of keys) revoked.push(shown(await room.revoke(await found(room, key), asker)));
    return revoked;
  });
}

/** Every key, of all tenants, in the order they were made; none with its token or its hash. Makes no store. */
export async function listTokens(installation: Installation): Promise<readonly JsonObject[]> {
  if (installation.host.disk.stat(installation.home.store) === undefined) return [];
  return withStore(installation, async (store) => {
    const keys: JsonObject[] = [];
    for (let after: string | undefined; ;) {
      const page = await listObjects({ store, principal: { tenant: null } }, 'key', {}, { limit: 500, ...(after === undefined ? {} : { after }) });
      keys.push(...page.map(({ value }) => tellKey(readKey(value), installation.host.clock.now())));
      const last = page.at(-1);
      if (last === undefined || page.length < 500) return keys;
      after = String(last.value['id']);
    }
  });
}

/** The keys that an id or a name means: of a name those that count. `tenant`: an id or slug; those of the installation when undefined, for a name. Throws `not_found`. */
export async function tokensMeant(installation: Installation, wanted: string, tenant: string | null, attempted: string): Promise<readonly JsonObject[]> {
  const keys = await listTokens(installation);
  if (isId('key', wanted)) {
    const own = keys.filter(({ id }) => id === wanted);
    if (own.length === 0) throw new LokiError('not_found', { attempted, found: `there is no key "${wanted}"`, hint: 'List them with: loki enterprise token list' });
    return own;
  }
  const owner = tenant === null ? null : await withStore(installation, (store) => tenantOf(store, tenant, attempted));
  const named = keys.filter(({ name, tenant_id, state }) => name === wanted && tenant_id === owner && state === 'active');
  if (named.length > 0) return named;
  const elsewhere = keys.some(({ name, state }) => name === wanted && state === 'active');
  throw new LokiError('not_found', {
    attempted, found: `no key of ${owner === null ? 'the installation' : 'that tenant'} that counts has the name "${wanted.slice(0, 100)}"`,
    hint: elsewhere ? 'A tenant has one of this name: name it with --tenant, or the key by its id' : 'List them with: loki enterprise token list',
  });
}

/** Whether there is any key at all, whatever its state. Makes no store. */
export function hasAnyKey(installation: Installation): Promise<boolean> {
  if (installation.host.disk.stat(installation.home.store) === undefined) return Promise.resolve(false);
  return withStore(installation, async (store) => (await store.listBy(...keyTerms.all, { limit: 1 })).length > 0);
}

/** As the API tells it. */
function tellKey({ sha256: _kept, ...told }: ApiKey, nowMs: number): JsonObject {
  return { ...told, state: stateOf(told, nowMs) };
}

async function found(room: KeyRoom, { id, tenant_id }: JsonObject): Promise<FoundKey> {
  const key = await room.find(typeof tenant_id === 'string' ? tenant_id : null, String(id));
  if (key === undefined) throw new LokiError('not_found', { attempted: 'find the key', found: `there is no key "${String(id)}" any more` });
  return key;
}

/** The id of a tenant that is named by its id or its slug. Throws `not_found`. */
async function tenantOf(store: Store, wanted: string | null, attempted: string): Promise<string | null> {
  if (wanted === null) return null;
  if (isId('tenant', wanted)) return wanted;
  const entry = /^[a-z0-9-]{1,63}$/.test(wanted) ? await store.get(`tenant-slugs/${wanted}`) : undefined;
  const id = isPlainObject(entry?.value) ? entry.value['id'] : undefined;
  if (typeof id === 'string') return id;
  throw new LokiError('not_found', { attempted, found: `there is no tenant "${wanted.slice(0, 80)}"`, hint: 'Name its id or its slug: loki tenants list' });
}

interface Keys {
  readonly store: Store;
  readonly room: KeyRoom;
  readonly asker: Asker;
  show(minted: MintedKey): JsonObject;
  shown(key: ApiKey): JsonObject;
}

async function withKeys<T>(installation: Installation, { by, prove }: Person, attempted: string, work: (keys: Keys) => Promise<T>): Promise<T> {
  const asker: Asker = { actor: by, scopes: new Set<Scope>(['admin']) };
  const shown = (key: ApiKey): JsonObject => tellKey(key, installation.host.clock.now());
  return withStore(installation, (store, record) => work({
    store, asker, shown, room: keyRoom(installation, prove === undefined ? record : provenRecorder(installation, record, { by, prove }, attempted), store), show: ({ key, token }) => ({ ...shown(key), token }),
  }));
}

async function withStore<T>(installation: Installation, work: (store: Store, record: Recorder) => Promise<T>): Promise<T> {
  prepareHome(installation);
  const log = openRecord(installation);
  try {
    const store = await openStore(installation, log.record);
    try {
      return await work(store, log.record);
    } finally {
      await store.close();
    }
  } finally {
    await log.close();
  }
}
