/**
 * Removes the counts of old stretches, so that the store does not grow with time. By number and not by age: a clock that is
 * far ahead for a while then removes nothing that is still counted in.
 */
import type { BudgetPeriod } from '../policy/rules.ts';
import type { Store } from '../store/store.ts';
import { reportPrefix, windowOf, windowPrefix, type Moment } from './window.ts';

/** Stretches kept of each period. A report that is made again within the newest two days counts once. */
const kept: Readonly<Record<Exclude<BudgetPeriod, 'total'>, number>> = { session: 100, day: 62, month: 24 };
const daysOfReports = 2;

/** So many keys are looked at and removed at a time; what is left over comes the next day. */
const batch = 100;
const mostBatches = 200;

/** What is old in the project of `now`; never what `now` itself counts in. */
export async function prune(store: Pick<Store, 'list' | 'transact'>, now: Moment): Promise<void> {
  for (const period of ['session', 'day', 'month'] as const) {
    const newest = await keysOf(store, windowPrefix(now.projectId, period), { reverse: true, limit: kept[period] });
    const oldest = newest.at(-1);
    if (newest.length === kept[period] && oldest !== undefined) await removeBefore(store, windowPrefix(now.projectId, period), oldest, windowOf(period, now).key);
  }
  const days = await keysOf(store, windowPrefix(now.projectId, 'day'), { reverse: true, limit: daysOfReports });
  const oldestDay = days.at(-1)?.slice(windowPrefix(now.projectId, 'day').length);
  if (oldestDay !== undefined) await removeBefore(store, reportPrefix(now.projectId), reportPrefix(now.projectId) + oldestDay, `${reportPrefix(now.projectId)}${windowOf('day', now).name}`);
}

async function keysOf(store: Pick<Store, 'list'>, prefix: string, options: { readonly reverse?: boolean; readonly limit: number }): Promise<readonly string[]> {
  return (await store.list(prefix, options)).map(({ key }) => key);
}

/** Removes the keys that come before one, but those that begin with `except`. */
async function removeBefore(store: Pick<Store, 'list' | 'transact'>, prefix: string, before: string, except: string): Promise<void> {
  let after: string | undefined;
  for (let round = 0; round < mostBatches; round += 1) {
    const keys = (await store.list(prefix, { limit: batch, ...(after === undefined ? {} : { after }) })).map(({ key }) => key);
    const old = keys.filter((key) => key < before && !key.startsWith(except));
    if (old.length > 0) await store.transact([], old.map((key) => ({ key, value: undefined })));
    after = keys.at(-1);
    if (keys.length < batch || after === undefined || after >= before) return;
  }
}
