/** Approvals over the embedded store, opened for as long as they are needed. */
import { isPlainObject } from '../base/json.ts';
import type { Recorder } from '../audit/entry.ts';
import type { EntryOpener } from '../audit/protection/opener.ts';
import { queryLog } from '../audit/query.ts';
import { createApprovals, type Approvals } from '../approvals/approvals.ts';
import type { WasUsed } from '../approvals/evidence.ts';
import type { Store } from '../store/store.ts';
import type { Installation } from './installation.ts';
import { approversOf } from './approver.ts';
import { encrypts } from './audit/record.ts';
import { openProjectStore } from './store.ts';
import { announcer, leaveDelivering } from './webhooks.ts';

export interface OpenApprovals {
  readonly room: Approvals;
  /** Closes the store, unless it was given, and leaves the sending of webhooks behind where that is due. */
  close(): Promise<void>;
}

/** Opens them; over a store that is open already when one is given. */
export async function openApprovals(installation: Installation, record: Recorder, store?: Store): Promise<OpenApprovals> {
  const { clock, timers, random } = installation.host;
  const opener = encrypts(installation) ? (await import('./audit/protection.ts')).openEntries(installation) : undefined;
  const objects = store ?? await openProjectStore(installation, record);
  const room = createApprovals({
    objects, record, clock, timers, random, isApprover,
    approverKeys: () => approversOf(installation),
    wasUsed: wasUsedIn(installation, opener),
    announce: announcer(installation, objects, record),
  });
  return {
    room,
    async close() {
      if (store === undefined) await objects.close();
      leaveDelivering(installation);
    },
  };
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
function isApprover(by: string, approvers: readonly string[]): boolean {
  return approvers.includes(by);
}
