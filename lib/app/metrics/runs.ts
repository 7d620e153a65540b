/** How many runs are not over, by status. */
import { isPlainObject } from '../../base/json.ts';
import { runKeys, type RunStatus } from '../../runs/run.ts';
import type { Store } from '../../store/store.ts';

/** Statuses a run leaves again. */
const unfinished: readonly RunStatus[] = ['pending', 'running', 'paused'];
const page = 1000;
/** Runs are ordered by the time they were made: one that is not over is among the newest. */
const newest = 10_000;

/** Looks at the newest 10,000 runs. */
export async function unfinishedRuns(store: Store): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>(unfinished.map((status) => [status, 0]));
  let after: string | undefined;
  for (let seen = 0; seen < newest; seen += page) {
    const entries = await store.list(runKeys.runs, { limit: page, reverse: true, ...(after === undefined ? {} : { after }) });
    for (const { value } of entries) {
      const status = isPlainObject(value) ? value['status'] : undefined;
      const count = typeof status === 'string' ? counts.get(status) : undefined;
      if (typeof status === 'string' && count !== undefined) counts.set(status, count + 1);
    }
    after = entries.at(-1)?.key;
    if (entries.length < page) break;
  }
  return counts;
}
