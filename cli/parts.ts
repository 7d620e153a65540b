/** The store, the log of record and the approvals together, for commands that look at or steer what runs. */
import type { Approvals } from '../lib/approvals/approvals.ts';
import type { Recorder } from '../lib/audit/entry.ts';
import { openApprovals } from '../lib/app/approvals.ts';
import { openRecord } from '../lib/app/audit/record.ts';
import type { Installation } from '../lib/app/installation.ts';
import { openProjectStore } from '../lib/app/store.ts';
import type { Store } from '../lib/store/store.ts';

/** What runs are kept in and steered through. */
export interface Parts {
  readonly store: Store;
  readonly record: Recorder;
  readonly approvals: Approvals;
}

/** Opens them, does the work, closes them whatever happens. */
export async function withParts<T>(installation: Installation, work: (parts: Parts) => Promise<T>): Promise<T> {
  const log = openRecord(installation);
  try {
    const store = await openProjectStore(installation, log.record);
    try {
      const approvals = await openApprovals(installation, log.record, store);
      try {
        return await work({ store, record: log.record, approvals: approvals.room });
      } finally {
        await approvals.close();
      }
    } finally {
      await store.close();
    }
  } finally {
    await log.close();
  }
}

/** Whether there is a store to look into. Looking must not make one. */
export function hasStore({ host: { disk }, home }: Installation): boolean {
  return disk.stat(home.store) !== undefined;
}
