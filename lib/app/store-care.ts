/** Backup, check and restore of the installation's store, each told to the log of record. */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { backupStore, type BackupReport, type OnProgress, type StorePlace } from '../store/backup.ts';
import { checkBackup, checkStore, type StoreReport } from '../store/inspect.ts';
import { openRestore, type RestorePlan } from '../store/restore.ts';
import { openRecord } from './audit/record.ts';
import { prepareHome, type Installation } from './installation.ts';
import { usersOfStore } from './store-users.ts';

const lockTimeoutMs = 10_000;

/** Who does it, and who is told of it meanwhile. */
export interface CareOptions {
  readonly actor: string;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/** Writes a backup while others go on. It holds all that the store holds, so its making is recorded as an access to data. */
export async function backUpStore(installation: Installation, path: string, { actor, onProgress, signal }: CareOptions): Promise<BackupReport> {
  const report = await backupStore(placeOf(installation), path, onProgress, signal);
  await recorded(installation, 'data.access', actor, { how: 'store.backup', ...report });
  return report;
}

/** Looks at the store, or at a backup. */
export function inspectStore(installation: Installation, path: string | undefined, onProgress: OnProgress): Promise<StoreReport> {
  return path === undefined ? checkStore(placeOf(installation), onProgress) : checkBackup(placeOf(installation), path, onProgress);
}

/** What a restore would do, and a way to do it. Throws `conflict` while other processes use the store. */
export interface StoreRestore {
  readonly plan: RestorePlan;
  apply(actor: string): Promise<RestorePlan>;
}

/** Reads the backup to its end. Nothing is changed before `apply`, and nothing by it that was not recorded first. */
export function restoreStore(installation: Installation, path: string): StoreRestore {
  const { host, home } = installation;
  const stamp = `${new Date(host.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')}-${Buffer.from(host.random.bytes(2)).toString('hex')}`;
  const restore = openRestore({ disk: host.disk, base: home.home, file: path, lock: host.lock(join(home.run, 'store')), lockTimeoutMs, stamp });
  return {
    plan: restore.plan,
    apply(actor) {
      prepareHome(installation);
      return restore.apply(async (plan) => {
        assertUnused(installation);
        await recorded(installation, 'config.change', actor, { change: 'store.restore', ...plan });
      });
    },
  };
}

/** Throws `conflict`, naming them, while other processes have the store open. */
export function assertUnused(installation: Installation): void {
  const users = usersOfStore(installation);
  if (users.length === 0) return;
  const named = users.slice(0, 5).join(', ');
  throw new LokiError('conflict', {
    attempted: 'restore the store', found: `${users.length === 1 ? `process ${named} has` : `processes ${named} have`} it open`,
    hint: 'Stop the control plane and running sessions first',
  });
}

function placeOf({ host, home }: Installation): StorePlace {
  return { disk: host.disk, base: home.home, timers: host.timers };
}

async function recorded(installation: Installation, event: 'data.access' | 'config.change', actor: string, details: JsonObject): Promise<void> {
  const log = openRecord(installation);
  try {
    await log.record({ event, actor, resource: 'store', details });
  } finally {
    await log.close();
  }
}
