/**
 * What workers have to see to: one small entry for each run that was ordered, at the root of the store whatever tenant the run
 * belongs to, from the order until the run has ended. It says where to look, and nothing about how the run stands.
 */
import { isId } from '../base/ids.ts';
import type { JsonValue } from '../base/json.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import { StoredObject } from './progress.ts';
import { keptContext, readContext, type KeptContext } from './kept-context.ts';
import { runKeys } from './run.ts';

/** With the span of the request that ordered it, where there is one. */
export type QueuedRun = {
  readonly run_id: string;
  readonly project_id: string;
  readonly tenant_id: string | null;
  /** As an audit actor. */
  readonly ordered_by: string;
} & KeptContext;

/** Entries read together. */
const pageSize = 1000;

/** The value a store keeps. */
export function queuedValue(queued: QueuedRun): JsonValue {
  return { ...queued };
}

/** Throws `store.corrupt` for anything that is none. */
export function readQueued({ value }: Pick<StoreEntry, 'value'>): QueuedRun {
  const from = new StoredObject('entry of the queue', value);
  return { run_id: from.text('run_id'), project_id: from.text('project_id'), tenant_id: from.textOrNull('tenant_id'), ordered_by: from.text('ordered_by'), ...keptContext(readContext(from)) };
}

/** The runs that wait or are driven, the one that was ordered first first. All of them: many of one project must not hide those of others. */
export async function queuedRuns(root: Store): Promise<readonly QueuedRun[]> {
  const queue: QueuedRun[] = [];
  for (let after: string | undefined; ;) {
    const page = await root.list(runKeys.queue, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    queue.push(...page.map(readQueued));
    after = page.at(-1)?.key;
    if (page.length < pageSize) return queue;
  }
}

/** The entry of a run; undefined for one that was not ordered, or has ended. */
export async function queuedRun(root: Store, runId: string): Promise<QueuedRun | undefined> {
  const entry = isId('run', runId) ? await root.get(runKeys.queued(runId)) : undefined;
  return entry === undefined ? undefined : readQueued(entry);
}

/** Takes a run that has ended off the queue, and its token with it: nobody has to see to it any more. Doing so twice is harmless. */
export async function unqueue(root: Store, runId: string): Promise<void> {
  await root.transact([], [{ key: runKeys.queued(runId), value: undefined }, { key: runKeys.token(runId), value: undefined }]);
}
