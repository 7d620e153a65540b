/** How many runs are not over, by status, of all tenants. Looks at those alone: the store lists runs by their status. */
import type { RunStatus } from '../../runs/run.ts';
import { runTerms } from '../../store/indexes.ts';
import type { Store } from '../../store/store.ts';

/** Statuses a run leaves again. */
const unfinished: readonly RunStatus[] = ['pending', 'running', 'paused'];
const page = 1000;
/** Of each status; more wait only where nothing works, and then the number says enough. */
const most = 10_000;

export async function unfinishedRuns(store: Pick<Store, 'listBy'>): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const status of unfinished) counts.set(status, await countOf(store, status));
  return counts;
}

async function countOf(store: Pick<Store, 'listBy'>, status: RunStatus): Promise<number> {
  let count = 0;
  let after: string | undefined;
  do {
    const entries = await store.listBy(...runTerms.status(status), { limit: page, ...(after === undefined ? {} : { after }) });
    count += entries.length;
    const key = entries.length < page ? undefined : entries.at(-1)?.key;
    after = key?.slice(key.lastIndexOf('/') + 1);
  } while (after !== undefined && count < most);
  return count;
}
