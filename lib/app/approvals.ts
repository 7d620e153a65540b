/** Approvals over the embedded store, opened for as long as they are needed. */
import { isPlainObject } from '../base/json.ts';
import type { Recorder } from '../audit/entry.ts';
import type { EntryOpener } from '../audit/protection/opener.ts';
import { queryLog } from '../audit/query.ts';
import { createApprovals, type Approvals } from '../approvals/approvals.ts';
import type { WasUsed } from '../approvals/evidence.ts';
import type { Store } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import type { Installation } from './installation.ts';
import { approversOf } from './approver.ts';
import { encrypts } from './audit/record.ts';
import { openProjectStore } from './store.ts';
import { tenantOf } from './tenancy.ts';
import { announcer, leaveDelivering } from './webhooks.ts';

export interface OpenApprovals {
  readonly room: Approvals;
  /** Closes the store, unless it was given, and leaves the sending of webhooks behind where that is due. */
  close(): Promise<void>;
}

/** Opens them; over a store that is open already when one is given. */
export async function openApprovals(installation: Installation, record: Recorder, store?: Store): Promise<OpenApprovals> {
  const objects = store ?? await openProjectStore(installation, record);
  return {
    room: roomOver(installation, filedFor(tenantOf(installation), record), objects, await openerOf(installation)),
    async close() {
      if (store === undefined) await objects.close();
      leaveDelivering(installation);
    },
  };
}

/** The approvals of each tenant, and with null the installation's own, over the whole store. */
export interface ApprovalRooms {
  of(tenant: string | null): Approvals;
  /** Somebody must notice that nobody decided, also where the one who asked has gone. */
  expire(): Promise<void>;
}

export async function openRooms(installation: Installation, record: Recorder, store: Store): Promise<ApprovalRooms> {
  const opener = await openerOf(installation);
  const rooms = new Map<string | null, Approvals>();
  const of = (tenant: string | null): Approvals => {
    const known = rooms.get(tenant);
    if (known !== undefined) return known;
    const room = roomOver(installation, filedFor(tenant, record), tenantView(store, tenant), opener);
    rooms.set(tenant, room);
    return room;
  };
  return {
    of,
    async expire() {
      const tenants = await store.list('tenants/', { limit: 100_000 });
      for (const tenant of [null, ...tenants.map(({ key }) => key.slice('tenants/'.length))]) await of(tenant).expire();
    },
  };
}

/** What happens to a tenant's approvals is filed under it, for its auditors to find. */
function filedFor(tenant: string | null, record: Recorder): Recorder {
  return tenant === null ? record : (event) => record({ ...event, metadata: { ...event.metadata, tenant_id: tenant } });
}

async function openerOf(installation: Installation): Promise<EntryOpener | undefined> {
  return encrypts(installation) ? (await import('./audit/protection.ts')).openEntries(installation) : undefined;
}

function roomOver(installation: Installation, record: Recorder, objects: Store, opener: EntryOpener | undefined): Approvals {
  const { clock, timers, random } = installation.host;
  return createApprovals({
    objects, record, clock, timers, random, isApprover,
    approverKeys: () => approversOf(installation),
    wasUsed: wasUsedIn(installation, opener),
    announce: announcer(installation, objects, record),
  });
}

/** So many entries are looked at: an approval is used within minutes of its signature. */
const mostEntries = 20_000;

/** Looks for the decision that let an action through on this approval. In a log too full to tell it counts as used. */
function wasUsedIn({ host: { disk }, home, config }: Installation, opener: EntryOpener | undefined): WasUsed {
  return (id, sinceMs) => {
    if (!config.audit.enabled) return false;
    let looked = 0;
    for (const { details } of queryLog(disk, home.audit, { event: 'policy.allow', from: new Date(sinceMs).toISOString() }, opener === undefined ? {} : { opener })) {
      looked += 1;
      if (looked > mostEntries || (isPlainObject(details) && details['approval_id'] === id)) return true;
    }
    return false;
  };
}

/** On this machine's command line a person is `user:<account>`; roles belong to the control plane's keys and sign-on. */
function isApprover(by: string, approvers: readonly string[], role?: string): boolean {
  return approvers.includes(by) || (role !== undefined && approvers.includes(`role:${role}`));
}
