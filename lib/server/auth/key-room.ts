/**
 * Making, changing, rotating and revoking keys of the API, for the control plane and for the command line alike. Trusts the
 * caller for who asks and for the fresh proof that it took; refuses more rights than whoever asks has, two keys of one name, and
 * what would leave a key without an end that was asked for. Recorded before it counts; a token is told once and never kept.
 */
import { LokiError } from '../../errors.ts';
import { isBlock } from '../../base/addresses.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { newToken, tokenHash } from '../../base/token.ts';
import type { AuditEvent, Recorder } from '../../audit/entry.ts';
import type { Clock, Random } from '../../ports.ts';
import type { Store, StoreChange, StoreCheck, StoreEntry } from '../../store/store.ts';
import { tenantPrefix } from '../../store/tenant-view.ts';
import { whileItStays } from '../objects.ts';
import { holds, roleScopes, type Principal, type Role, type Scope } from '../principal.ts';
import { keyKeys, keyValue, readKey, stateOf, type ApiKey } from './api-key.ts';

/** What a key is wanted for. */
export interface KeyWish {
  readonly name: string;
  readonly tenant: string | null;
  readonly role?: Role | null;
  readonly scopes?: readonly Scope[];
  readonly owner?: string | null;
  readonly cidrs?: readonly string[];
  readonly expiresAt?: string | null;
}

/** Members of a key that can be changed. */
export type KeyChange = Partial<Pick<ApiKey, 'name' | 'owner' | 'cidrs' | 'expires_at'>>;

/** Who asks, as far as it matters here. `admin` at a terminal of this machine has every scope. */
export type Asker = Pick<Principal, 'actor' | 'scopes'> & {
  /** What the log calls the request that it came in, over the API. */
  readonly requestId?: string;
};

export interface KeyRoomOptions {
  /** The whole store. */
  readonly store: Store;
  readonly record: Recorder;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** A key, with its token the one time that it is told. */
export interface MintedKey {
  readonly key: ApiKey;
  readonly token: string;
}

/** A key as it is found. */
export interface FoundKey {
  readonly key: ApiKey;
  readonly entry: StoreEntry;
}

/** Writes; throws `conflict` when something it rests on changed meanwhile. Lets a caller add to the transaction. */
export type Commit = (checks: readonly StoreCheck[], changes: readonly StoreChange[]) => Promise<void>;

const mostGraceHours = 24 * 30;
const mostTries = 20;
/** Entries name the token of this machine's command line so. */
const takenName = 'local';

export class KeyRoom {
  readonly #options: KeyRoomOptions;

  constructor(options: KeyRoomOptions) {
    this.#options = options;
  }

  /** Makes a key. Throws `auth.forbidden` for rights that whoever asks does not have, `conflict` for a name in use. */
  async mint(wish: KeyWish, asker: Asker, commit: Commit = this.#commit): Promise<MintedKey> {
    const { name, tenant, role = null, scopes = [], owner = null, cidrs = [], expiresAt = null } = wish;
    const attempted = `make the key "${name}"`;
    assertSome(attempted, role, scopes);
    assertWithin(attempted, asker, [...(role === null ? [] : roleScopes[role]), ...scopes]);
    if (scopes.includes('approve') && owner === null) throw new LokiError('request.invalid', { attempted, found: 'a key with the scope "approve" decides for somebody, and no owner is named', hint: 'Name the person: owner user:NAME' });
    if (expiresAt !== null && Date.parse(expiresAt) <= this.#options.clock.now()) throw new LokiError('request.invalid', { attempted, found: 'it would have expired already' });
    if (tenant !== null && await this.#options.store.get(`tenants/${tenant}`) === undefined) throw new LokiError('not_found', { attempted, found: `there is no tenant "${tenant}"` });
    assertBlocks(attempted, cidrs);
    const claim = await this.#nameClaim(attempted, tenant, name);
    const made = this.#make({ name, role, scopes: [...scopes], tenant_id: tenant, owner, cidrs: [...cidrs], expires_at: expiresAt, rotated_from: null }, asker);
    await this.#record('auth.token.create', asker, made.key, rightsOf(made.key));
    const [checks, changes] = this.#creation(made.key);
    await commit([...checks, claim.check], [...changes, claim.change(made.key.id)]);
    return made;
  }

  /** A new token in place of the old one, which goes on working for a while, or not at all. */
  async rotate({ key: old, entry }: FoundKey, graceHours: number, asker: Asker, commit: Commit = this.#commit): Promise<MintedKey> {
    const attempted = `rotate the key "${old.name}"`;
    if (!(graceHours >= 0 && graceHours <= mostGraceHours)) throw new LokiError('request.invalid', { attempted, found: `the grace period is not 0 to ${mostGraceHours} hours` });
    const now = this.#options.clock.now();
    if (stateOf(old, now) !== 'active') throw new LokiError('conflict', { attempted, found: 'it does not count any more', hint: 'Make a new key' });
    assertWithin(attempted, asker, [...(old.role === null ? [] : roleScopes[old.role]), ...old.scopes]);
    const { name, role, scopes, tenant_id, owner, cidrs, expires_at } = old;
    const made = this.#make({ name, role, scopes, tenant_id, owner, cidrs, expires_at, rotated_from: old.id }, asker);
    const end = new Date(Math.min(now + graceHours * 3_600_000, expires_at === null ? Infinity : Date.parse(expires_at))).toISOString();
    await this.#record('auth.token.rotate', asker, made.key, { rotated_from: old.id, grace_period_hours: graceHours, old_key_ends: end });
    const [checks, changes] = this.#creation(made.key);
    await commit([...checks, { key: entry.key, revision: entry.revision }], [...changes, { key: entry.key, value: keyValue({ ...old, expires_at: end }) }]);
    return made;
  }

  /** From now on its token does not count, whatever grace it had. */
  async revoke({ key, entry }: FoundKey, asker: Asker, commit: Commit = this.#commit): Promise<ApiKey> {
    if (key.revoked_at !== null) return key;
    const revoked_at = new Date(this.#options.clock.now()).toISOString();
    await this.#record('auth.token.revoke', asker, key, {});
    // It is on record as revoked, so it must be: a use that is noted just now, or another change, does not stand in the way.
    let found: FoundKey = { key, entry };
    for (let tries = 1; ; tries += 1) {
      const revoked: ApiKey = { ...found.key, revoked_at };
      try {
        await commit([{ key: found.entry.key, revision: found.entry.revision }], [{ key: found.entry.key, value: keyValue(revoked) }]);
        return revoked;
      } catch (error) {
        const now = await this.find(key.tenant_id, key.id);
        if (now === undefined || tries === mostTries || !(error instanceof LokiError) || error.code !== 'conflict') throw error;
        if (now.key.revoked_at !== null) return now.key;
        found = now;
      }
    }
  }

  async change({ key, entry }: FoundKey, change: KeyChange, asker: Asker, commit: Commit = this.#commit): Promise<ApiKey> {
    const attempted = `change the key "${key.name}"`;
    const next: ApiKey = { ...key, ...change };
    const now = this.#options.clock.now();
    // One that was over, and would count again, finds its name in use as a new one would.
    const takesName = next.name !== key.name || (stateOf(key, now) !== 'active' && stateOf(next, now) === 'active');
    assertBlocks(attempted, next.cidrs);
    const claim = takesName ? await this.#nameClaim(attempted, key.tenant_id, next.name) : undefined;
    if (next.owner !== key.owner && key.scopes.includes('approve')) throw new LokiError('conflict', { attempted, found: 'it decides for its owner, and another owner needs another key' });
    const changed = Object.fromEntries(Object.entries(change).map(([name, to]) => [name, { from: key[name as keyof KeyChange], to }])) as JsonObject;
    await this.#record('config.change', asker, key, { what: 'key', changed });
    await commit([{ key: entry.key, revision: entry.revision }, ...(claim === undefined ? [] : [claim.check])], [{ key: entry.key, value: keyValue(next) }, ...(claim === undefined ? [] : [claim.change(key.id)])]);
    return next;
  }

  /** Keys of a tenant, or the installation's own, that have this name. */
  async named(tenant: string | null, name: string): Promise<readonly FoundKey[]> {
    const found: FoundKey[] = [];
    for await (const each of this.#all(tenant)) if (each.key.name === name) found.push(each);
    return found;
  }

  async find(tenant: string | null, id: string): Promise<FoundKey | undefined> {
    const entry = await this.#options.store.get(tenantPrefix(tenant) + keyKeys.key(id));
    return entry === undefined ? undefined : { key: readKey(entry.value), entry };
  }

  async* #all(tenant: string | null): AsyncGenerator<FoundKey> {
    const prefix = tenantPrefix(tenant) + keyKeys.keys;
    for (let after: string | undefined; ;) {
      const page = await this.#options.store.list(prefix, { limit: 500, ...(after === undefined ? {} : { after }) });
      for (const entry of page) yield { key: readKey(entry.value), entry };
      after = page.at(-1)?.key;
      if (after === undefined) return;
    }
  }

  /** The name is free, and is taken by the transaction that this goes into. */
  async #nameClaim(attempted: string, tenant: string | null, name: string): Promise<NameClaim> {
    if (name === takenName) throw new LokiError('conflict', { attempted, found: `"${takenName}" is the name of this machine's own token`, hint: 'Take another name: entries in the log are told apart by it' });
    const at = tenantPrefix(tenant) + keyKeys.name(name);
    const revision = (await this.#options.store.get(at))?.revision ?? 0;
    const now = this.#options.clock.now();
    const taken = (await this.named(tenant, name)).some(({ key }) => stateOf(key, now) === 'active');
    if (taken) throw new LokiError('conflict', { attempted, found: 'a key of this name is in use', hint: 'Take another name: entries in the log are told apart by it; or rotate that key' });
    return { check: { key: at, revision }, change: (id) => ({ key: at, value: { id } }) };
  }

  #make(members: Omit<ApiKey, 'id' | 'created_at' | 'created_by' | 'last_used' | 'revoked_at' | 'hint' | 'sha256'>, asker: Asker): MintedKey {
    const { clock, random } = this.#options;
    const token = newToken(random);
    const now = clock.now();
    const key: ApiKey = {
      id: newId('key', now, random.bytes(10)), ...members, created_at: new Date(now).toISOString(), created_by: asker.actor, last_used: null, revoked_at: null,
      hint: token.slice(-4), sha256: tokenHash(token),
    };
    return { key, token };
  }

  #creation(key: ApiKey): readonly [readonly StoreCheck[], readonly StoreChange[]] {
    const at = tenantPrefix(key.tenant_id) + keyKeys.key(key.id);
    const hash = keyKeys.hash(key.sha256);
    return [[{ key: at, revision: 0 }, { key: hash, revision: 0 }, ...whileItStays(key.tenant_id)], [{ key: at, value: keyValue(key) }, { key: hash, value: { tenant_id: key.tenant_id, id: key.id } }]];
  }

  async #record(event: AuditEvent['event'], { actor, requestId }: Asker, key: ApiKey, details: JsonObject): Promise<void> {
    const metadata = key.tenant_id === null ? {} : { metadata: { tenant_id: key.tenant_id } };
    await this.#options.record({ event, actor, resource: `key:${key.id}`, details: { name: key.name, ...details, ...(requestId === undefined ? {} : { request_id: requestId }) }, ...metadata });
  }

  readonly #commit: Commit = async (checks, changes) => {
    const outcome = await this.#options.store.transact(checks, changes);
    if (!outcome.committed) throw new LokiError('conflict', { attempted: 'write the key', found: 'it changed meanwhile' });
  };
}

/** Taking a name: what must be as it was, and what is written. */
interface NameClaim {
  readonly check: StoreCheck;
  change(keyId: string): StoreChange;
}

function assertBlocks(attempted: string, cidrs: readonly string[]): void {
  const wrong = cidrs.find((block) => !isBlock(block));
  if (wrong !== undefined) throw new LokiError('request.invalid', { attempted, found: `"${wrong.slice(0, 50)}" is neither an address nor a block of them`, hint: 'Write a block as 10.0.0.0/8' });
}

function rightsOf({ role, scopes, owner, cidrs, expires_at }: ApiKey): JsonObject {
  return { role, scopes, owner, cidrs, expires_at };
}

function assertSome(attempted: string, role: Role | null, scopes: readonly Scope[]): void {
  if (role !== null || scopes.length > 0) return;
  throw new LokiError('request.invalid', { attempted, found: 'it would have neither a role nor a scope', hint: 'Name a role (admin, operator, viewer, auditor) or scopes' });
}

/** Nobody hands out what they do not have; but `approve`, which is in no role and stands on the fresh proof that minting takes. */
function assertWithin(attempted: string, asker: Asker, wanted: readonly Scope[]): void {
  const beyond = wanted.filter((scope) => scope !== 'approve' && !holds(asker, scope));
  if (beyond.length > 0) throw new LokiError('auth.forbidden', { attempted, found: `${asker.actor} does not have ${beyond.join(', ')} to give` });
}
