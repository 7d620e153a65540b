/** Keys of the API over the store of this installation: reading them, noting their use, and who may make them. */
import { LokiError } from '../errors.ts';
import { keyKeys, keyValue, createKeyReader, readKey, type ApiKey } from '../server/auth/api-key.ts';
import type { ReadToken } from '../server/auth/authenticate.ts';
import { KeyRoom } from '../server/auth/key-room.ts';
import { holds, type Principal } from '../server/principal.ts';
import type { Recorder } from '../audit/entry.ts';
import type { Store } from '../store/store.ts';
import { tenantPrefix } from '../store/tenant-view.ts';
import { approversOf } from './approver.ts';
import type { Installation } from './installation.ts';

export function keyRoom({ host: { clock, random } }: Installation, record: Recorder, store: Store): KeyRoom {
  return new KeyRoom({ store, record, clock, random });
}

/** A use is written down this often: it is for finding keys that nobody uses, and each request is on record anyway. */
const usedEveryMs = 5 * 60_000;

/** Reads tokens of keys, and notes in the background that they are used. */
export function keyReader({ host: { clock } }: Installation, store: Store): ReadToken {
  return createKeyReader({
    store, now: () => clock.now(),
    used(key) {
      const last = key.last_used === null ? 0 : Date.parse(key.last_used);
      if (clock.now() - last >= usedEveryMs) void noteUse(store, key, new Date(clock.now()).toISOString()).catch(() => undefined);
    },
  });
}

async function noteUse(store: Store, { id, tenant_id }: ApiKey, at: string): Promise<void> {
  const place = tenantPrefix(tenant_id) + keyKeys.key(id);
  const entry = await store.get(place);
  if (entry === undefined) return;
  const key = readKey(entry.value);
  if (key.last_used !== null && Date.parse(at) - Date.parse(key.last_used) < usedEveryMs) return;
  await store.transact([{ key: place, revision: entry.revision }], [{ key: place, value: keyValue({ ...key, last_used: at }) }]);
}

/** A single sign-on is new for so long. */
const freshSignOnMs = 10 * 60_000;

/**
 * Throws `auth.proof` unless a person stands behind a principal now: it has the scope `approve`, or signed on just now. Until an
 * approver exists there is nobody who could prove anything, and the scope alone must do; but not for handing out `approve`, which
 * a key that lies on some machine could otherwise get itself in anybody's name. The first such key is made at a terminal.
 */
export function freshness(installation: Installation): (principal: Principal, attempted: string, gives?: 'approve') => void {
  return (principal, attempted, gives) => {
    const { authTime } = principal;
    const isNew = authTime !== undefined && Math.abs(installation.host.clock.now() - authTime) <= freshSignOnMs;
    if (holds(principal, 'approve') || isNew || (gives === undefined && approversOf(installation).length === 0)) return;
    throw new LokiError('auth.proof', {
      attempted, found: `nothing shows that a person stands behind ${principal.actor} now`,
      hint: 'Use a key with the scope "approve", sign on anew, or run loki enterprise token where the approver key is kept',
    });
  };
}
