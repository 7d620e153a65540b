/** The embedded store of LOKI_HOME: whole, for the control plane, and as the tenant of the project at hand has it, for everything else. */
import type { Recorder } from '../audit/entry.ts';
import { join } from '../base/paths.ts';
import { openEmbeddedStore } from '../store/embedded.ts';
import type { Store } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import { prepareHome, type Installation } from './installation.ts';
import { announceUse } from './store-users.ts';
import { tenantOf } from './tenancy.ts';

/** Opens the whole store, making it when there is none. What recovery set aside, and a migration, is recorded. */
export function openStore(installation: Installation, record: Recorder): Promise<Store> {
  const { host, home } = installation;
  prepareHome(installation);
  return openEmbeddedStore({
    base: home.home, disk: host.disk, clock: host.clock, timers: host.timers, lock: host.lock(join(home.run, 'store')), onClose: announceUse(installation),
    onTrouble(trouble) {
      // Told, not required: the store goes on, and what was set aside is kept on disk whatever becomes of this entry.
      const event = trouble.kind === 'migrated' ? 'config.change' : 'audit.recovery';
      void record({ event, actor: 'system', resource: 'store', details: JSON.parse(JSON.stringify(trouble)) }).catch(() => undefined);
    },
  });
}

/** The store as the tenant of the project at hand sees it; closing it closes the store. */
export async function openProjectStore(installation: Installation, record: Recorder): Promise<Store> {
  const tenant = tenantOf(installation);
  const whole = await openStore(installation, record);
  return tenant === null ? whole : { ...tenantView(whole, tenant), close: () => whole.close() };
}
