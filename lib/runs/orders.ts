/**
 * Orders a run: a `pending` one is recorded and put into the store, its document with it, for a worker to take. It trusts the
 * caller to have found the project and to know who asks; it refuses terms that are none and a document that nobody could have
 * meant. No path and no command line is part of an order.
 */
import type { Clock, Random } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { runToken, runTokenHash } from '../base/run-token.ts';
import type { SpanContext } from '../base/trace.ts';
import type { Recorder } from '../audit/entry.ts';
import type { Store, StoreChange, StoreCheck, StoreOutcome } from '../store/store.ts';
import { runTerms } from '../store/indexes.ts';
import { tenantPrefix } from '../store/tenant-view.ts';
import type { Prd } from './prd.ts';
import { noProgress, runValue, StoredObject } from './progress.ts';
import { queuedValue } from './queue.ts';
import { runKeys, type Run, type RunTrigger } from './run.ts';
import { keptContext } from './kept-context.ts';

/** What an order may say of how the run is to go. What it leaves out is as the project is configured. */
export type RunTerms = {
  readonly provider?: string;
  readonly max_iterations?: number;
  readonly budget?: number;
};

export interface OrderDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly record: Recorder;
  /** The root of the store: the queue lies there. */
  readonly root: Store;
  /** Writes the order, where more is to be written in the same transaction. */
  readonly commit?: CommitOrder;
}

/** Commits a change of the whole store by which a run is ordered. */
export type CommitOrder = (checks: readonly StoreCheck[], changes: readonly StoreChange[], run: Run) => Promise<StoreOutcome>;

export interface RunDraft {
  readonly project_id: string;
  readonly tenant_id: string | null;
  readonly trigger: Exclude<RunTrigger, 'manual'> | 'manual';
  /** Left out: the worker reads the project's usual document. */
  readonly document?: string;
  readonly terms: RunTerms;
  /** The run that this one repeats, and what cannot be the same. */
  readonly repeats?: { readonly run_id: string; readonly differences: readonly JsonObject[] };
  /** Who orders, as an audit actor. */
  readonly actor: string;
  /** What the log calls the request that it came in, over the API. */
  readonly requestId?: string;
  /** The span of that request: the run is its child. */
  readonly trace?: SpanContext | undefined;
}

/** A run that was ordered. The token is shown this once. */
export interface Ordered {
  readonly run: Run;
  readonly token: string;
}

/** Bytes of a document that comes with an order. */
export const orderedDocumentBytes: number = 256 * 1024;

/** Runs of one project that may wait at a time: each keeps its document, and a worker drives one of them after the other. */
export const mostWaiting = 100;

/** Durable, and on record, when it resolves. Throws `request.invalid` for a document that is none, `conflict` when too many wait. */
export async function orderRun(deps: OrderDeps, draft: RunDraft): Promise<Ordered> {
  const document = draft.document === undefined ? undefined : checkedDocument(draft.document);
  await assertRoom(deps.root, draft);
  const now = deps.clock.now();
  const id = newId('run', now, deps.random.bytes(10));
  const token = runToken(id, deps.random.bytes(32));
  const run = pendingRun(draft, id, now, document);
  await deps.record({
    event: draft.repeats === undefined ? 'run.create' : 'run.replay', actor: draft.actor, resource: `run:${id}`,
    details: {
      run_id: id, trigger: draft.trigger, prd_sha256: document?.sha256 ?? null, ...draft.terms,
      ...(draft.repeats === undefined ? {} : { parent_run_id: draft.repeats.run_id, differences: draft.repeats.differences }),
      ...(draft.requestId === undefined ? {} : { request_id: draft.requestId }),
    },
    metadata: { ...(draft.tenant_id === null ? {} : { tenant_id: draft.tenant_id }), project_id: draft.project_id },
  });
  const own = (key: string): string => tenantPrefix(draft.tenant_id) + key;
  const commit: CommitOrder = deps.commit ?? ((checks, changes) => deps.root.transact(checks, changes));
  const outcome = await commit([{ key: own(runKeys.run(id)), revision: 0 }], [
    { key: own(runKeys.run(id)), value: runValue(run) },
    ...(document === undefined ? [] : [{ key: own(runKeys.document(id)), value: { text: document.text, sha256: document.sha256 } }]),
    { key: runKeys.queued(id), value: queuedValue({ run_id: id, project_id: run.project_id, tenant_id: run.tenant_id, ordered_by: draft.actor, ...keptContext(draft.trace) }) },
    { key: runKeys.token(id), value: { tenant_id: run.tenant_id, sha256: runTokenHash(token) } },
  ], run);
  if (!outcome.committed) throw new LokiError('conflict', { attempted: `order run ${id}`, found: 'there is such a run', hint: 'Order it again' });
  return { run, token };
}

async function assertRoom(root: Store, { tenant_id, project_id }: RunDraft): Promise<void> {
  const waiting = await root.listBy(...runTerms.projectStatus(tenant_id, project_id, 'pending'), { limit: mostWaiting });
  if (waiting.length < mostWaiting) return;
  throw new LokiError('conflict', { attempted: 'order a run', found: `${mostWaiting} runs of the project wait already`, hint: 'Wait until some of them were driven, or cancel some' });
}

function pendingRun({ project_id, tenant_id, trigger, terms, repeats }: RunDraft, id: string, now: number, document: Prd | undefined): Run {
  const { provider = null, ...limits } = terms;
  return {
    id, project_id, tenant_id, status: 'pending', trigger,
    config: {
      provider, ...limits, prd: document === undefined ? null : { path: document.path, sha256: document.sha256 },
      ...(repeats === undefined ? {} : { differences: repeats.differences }),
    },
    result_summary: noProgress, parent_run_id: repeats?.run_id ?? null,
    started_at: null, ended_at: null, created_at: new Date(now).toISOString(),
  };
}

/** Where the document of an order is said to come from: it has no file. */
const orderedPath = 'the order';

function checkedDocument(text: string): Prd {
  const refuse = (found: string): LokiError => new LokiError('request.invalid', { attempted: 'order a run', found, hint: 'Send the requirements document as text' });
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > orderedDocumentBytes) {
    throw new LokiError('request.large', { attempted: 'order a run', found: `its document has ${bytes.length} bytes, at most ${orderedDocumentBytes} are taken`, hint: 'Put it into the project as prd.md, and order the run without one' });
  }
  if (text.trim() === '') throw refuse('its document is empty');
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) throw refuse('its document is no text');
  return { path: orderedPath, text, sha256: sha256Hex(bytes) };
}

/** The document that came with an order. Throws `store.corrupt` when it is not the one that was recorded. */
export async function orderedDocument(store: Store, run: Run): Promise<Prd | undefined> {
  const entry = await store.get(runKeys.document(run.id));
  if (entry === undefined) return undefined;
  const from = new StoredObject('document', entry.value);
  const text = from.text('text');
  const sha256 = sha256Hex(new TextEncoder().encode(text));
  const known = new StoredObject('run document', new StoredObject('run configuration', run.config).object('prd'));
  if (sha256 === from.text('sha256') && sha256 === known.text('sha256')) return { path: orderedPath, text, sha256 };
  throw new LokiError('store.corrupt', { attempted: `read the document of run ${run.id}`, found: 'it is not the one that was ordered' });
}

/** The terms that a run was ordered with. */
export function termsOf(run: Run): RunTerms {
  const { provider, max_iterations, budget } = run.config;
  return {
    ...(typeof provider === 'string' ? { provider } : {}),
    ...(typeof max_iterations === 'number' ? { max_iterations } : {}),
    ...(typeof budget === 'number' ? { budget } : {}),
  };
}
