/**
 * Orders a run again: a new one with the document, the provider and the terms of its parent. What cannot be the same is listed
 * with it, so that nobody takes two runs for equal that are not.
 */
import type { Disk } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { canonicalJson, isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
import type { Store } from '../store/store.ts';
import { keptPrd } from './opening.ts';
import { orderedDocument, orderedDocumentBytes, orderRun, termsOf, type OrderDeps, type Ordered } from './orders.ts';
import { progressOf, readRun } from './progress.ts';
import { runKeys, type Run } from './run.ts';

export interface ReplayDeps extends OrderDeps {
  /** The objects of the tenant. */
  readonly store: Store;
  readonly disk: Pick<Disk, 'readRecord'>;
}

export interface ReplayRequest {
  readonly runId: string;
  readonly actor: string;
  readonly requestId?: string;
  readonly trace?: SpanContext | undefined;
  /** The directory of the run's project. */
  readonly dir: string;
  /** What a run of this project with this provider would begin with now, and the commit it would begin at. */
  readonly now: (provider: string) => Promise<{ readonly circumstances: JsonObject; readonly settings: JsonObject; readonly commit: string | null }>;
}

/** A run that repeats another. */
export interface Replayed extends Ordered {
  readonly differences: readonly JsonObject[];
}

/** Throws `not_found`, and `conflict` for a parent that has not begun or whose document is not kept any more. */
export async function replayRun(deps: ReplayDeps, request: ReplayRequest): Promise<Replayed> {
  const attempted = `replay run ${request.runId}`;
  const entry = await deps.store.get(runKeys.run(request.runId));
  if (entry === undefined) throw new LokiError('not_found', { attempted, found: 'there is no such run' });
  const parent = readRun(entry.value);
  const provider = parent.config['provider'];
  if (typeof provider !== 'string' || parent.started_at === null) throw new LokiError('conflict', { attempted, found: 'it has not begun, so there is nothing to repeat', hint: 'Order a run of its own' });
  const document = await documentOf(deps, parent, request, attempted);
  const differences = differencesOf(parent, await request.now(provider));
  const ordered = await orderRun(deps, {
    project_id: parent.project_id, tenant_id: parent.tenant_id, trigger: 'replay', document, actor: request.actor, trace: request.trace, terms: termsOf(parent), ...(request.requestId === undefined ? {} : { requestId: request.requestId }),
    repeats: { run_id: parent.id, differences },
  });
  return { ...ordered, differences };
}

async function documentOf(deps: ReplayDeps, parent: Run, { dir }: ReplayRequest, attempted: string): Promise<string> {
  const ordered = await orderedDocument(deps.store, parent);
  if (ordered !== undefined) return ordered.text;
  const { text } = keptPrd(deps, { project: { id: parent.project_id, dir, tenant_id: parent.tenant_id } }, parent, attempted);
  if (new TextEncoder().encode(text).length <= orderedDocumentBytes) return text;
  throw new LokiError('request.large', { attempted, found: `its document is longer than the ${orderedDocumentBytes} bytes that an order takes`, hint: 'Start it in the project: loki start PRD' });
}

/** What the parent is known to have begun with that is not so now. Unknown of the parent counts as a difference too: nobody can say that it is the same. */
function differencesOf(parent: Run, now: Awaited<ReturnType<ReplayRequest['now']>>): readonly JsonObject[] {
  const known = parent.config['circumstances'];
  const began = isObject(known) ? known : {};
  const rows: readonly (readonly [string, JsonValue | undefined, JsonValue | undefined])[] = [
    ['commit', progressOf(parent).base_commit, now.commit],
    ...Object.keys({ ...began, ...now.circumstances }).map((name) => [name, began[name], now.circumstances[name]] as const),
    ...Object.keys(now.settings).map((name) => [name, parent.config[name], now.settings[name]] as const),
  ];
  return rows.filter(([, before, after]) => canonicalJson(before ?? null) !== canonicalJson(after ?? null)).map(([what, before, after]) => ({ what, parent: before ?? null, now: after ?? null }));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return isPlainObject(value);
}
