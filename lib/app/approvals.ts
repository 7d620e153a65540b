/** Approvals over the embedded store, opened for as long as they are needed. */
import type { Recorder } from '../audit/entry.ts';
import { createApprovals, type Approvals } from '../approvals/approvals.ts';
import type { Store } from '../store/store.ts';
import type { Installation } from './installation.ts';
import { approversOf } from './approver.ts';
import { openStore } from './store.ts';
import { announcer, leaveDelivering } from './webhooks.ts';

export interface OpenApprovals {
  readonly room: Approvals;
  /** Closes the store, unless it was given, and leaves the sending of webhooks behind where that is due. */
  close(): Promise<void>;
}

/** Opens them; over a store that is open already when one is given. */
export async function openApprovals(installation: Installation, record: Recorder, store?: Store): Promise<OpenApprovals> {
  const { clock, timers, random } = installation.host;
  const objects = store ?? await openStore(installation, record);
  const room = createApprovals({
    objects, record, clock, timers, random, isApprover,
    approverKeys: () => approversOf(installation),
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

/** On this machine's command line a person is `user:<account>`; roles belong to the control plane's keys and sign-on. */
function isApprover(by: string, approvers: readonly string[]): boolean {
  return approvers.includes(by);
}
