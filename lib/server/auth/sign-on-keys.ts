/** What sign-on needs of keys: those behind browsers' sessions as they are now, and those that command lines get and give back. */
import type { Clock } from '../../ports.ts';
import type { Store } from '../../store/store.ts';
import { tenantPrefix } from '../../store/tenant-view.ts';
import { keyKeys, principalOf, readKey, stateOf } from './api-key.ts';
import type { KeyRoom } from './key-room.ts';
import type { SignOnServiceOptions } from './sign-on-service.ts';

export interface KeyParts {
  /** The whole store. */
  readonly store: Store;
  readonly keys: KeyRoom;
  readonly clock: Pick<Clock, 'now'>;
}

export function keysOfSignOn({ store, keys, clock }: KeyParts): Pick<SignOnServiceOptions, 'principalOfKey' | 'issueKey' | 'revokeKey'> {
  return {
    async principalOfKey(tenant, id) {
      const entry = await store.get(tenantPrefix(tenant) + keyKeys.key(id));
      const key = entry === undefined ? undefined : readKey(entry.value);
      if (key === undefined || stateOf(key, clock.now()) !== 'active') return undefined;
      return { principal: principalOf(key), movable: key.cidrs.length === 0, endsMs: key.expires_at === null ? undefined : Date.parse(key.expires_at) };
    },
    async issueKey({ name, owner, tenant, scopes, expiresMs }) {
      // In the person's name, and with no more than they have.
      const { key, token } = await keys.mint({ name, tenant, owner, scopes, expiresAt: new Date(expiresMs).toISOString() }, { actor: owner, scopes: new Set(scopes) });
      return { id: key.id, token };
    },
    async revokeKey(principal) {
      const found = principal.keyId === undefined ? undefined : await keys.find(principal.tenant, principal.keyId);
      if (found !== undefined) await keys.revoke(found, principal);
    },
  };
}
