/**
 * A tenant's part of the store. The tenant stands in every key, so code that is given a view can neither read, list, watch
 * nor change what is another tenant's, whatever keys it makes up. What belongs to no tenant is the installation's own and
 * lies at the root, where the prefix of tenants is no kind of object.
 */
import { LokiError } from '../errors.ts';
import { isId } from '../base/ids.ts';
import { withinTenant } from './indexes.ts';
import type { Store, StoreEntry, StoreKey, StoreNotice } from './store.ts';

const root = 't/';

/** Where everything of a tenant lies; the empty prefix for the installation's own. Throws `internal` for what is no tenant's id. */
export function tenantPrefix(tenantId: string | null): string {
  if (tenantId === null) return '';
  if (!isId('tenant', tenantId)) throw new LokiError('internal', { attempted: 'open the store of a tenant', found: 'this is no tenant\'s id' });
  return `${root}${tenantId}/`;
}

/** Whose a key of the whole store is, and what it is called there. */
export function ownerOf(key: StoreKey): { readonly tenant: string | null; readonly key: StoreKey } {
  const [, tenant, rest] = /^t\/(tnt_[0-9A-Z]{26})\/(.+)$/.exec(key) ?? [];
  return tenant === undefined || rest === undefined ? { tenant: null, key } : { tenant, key: rest };
}

/** The store as a tenant's code sees it; the store itself for the installation's own. Closing a view closes nothing. */
export function tenantView(store: Store, tenantId: string | null): Store {
  if (tenantId === null) return store;
  const prefix = tenantPrefix(tenantId);
  const inside = <T extends { readonly key: StoreKey }>(one: T): T => ({ ...one, key: prefix + one.key });
  const outside = <T extends { readonly key: StoreKey }>(one: T): T => ({ ...one, key: one.key.slice(prefix.length) });
  return {
    async get(key) {
      const entry = await store.get(prefix + key);
      return entry === undefined ? undefined : outside<StoreEntry>(entry);
    },
    async list(below, options) {
      const { after } = options;
      return (await store.list(prefix + below, { ...options, ...(after === undefined ? {} : { after: prefix + after }) })).map((entry) => outside<StoreEntry>(entry));
    },
    async listBy(index, term, options) {
      const mine = withinTenant(tenantId, [index, term]);
      return mine === undefined ? [] : (await store.listBy(...mine, options)).map((entry) => outside<StoreEntry>(entry));
    },
    async transact(checks, changes) {
      const outcome = await store.transact(checks.map(inside), changes.map(inside));
      return outcome.committed ? outcome : { committed: false, conflict: outcome.conflict.slice(prefix.length) };
    },
    revision: () => store.revision(),
    async *watch(below, from, signal) {
      for await (const notices of store.watch(prefix + below, from, signal)) yield notices.map((notice) => outside<StoreNotice>(notice));
    },
    close: () => Promise.resolve(),
  };
}
