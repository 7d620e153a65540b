/**
 * Changes of one approval, each recorded in the log before anybody sees it. A change is first sealed: stored beside the state
 * that is still shown, by compare-and-set, so that of concurrent changes exactly one goes ahead. Then it is recorded, then
 * shown. Recording first and storing afterwards would put decisions into the log that lost the race; storing first would let
 * an action go ahead on an approval the log never saw. A crash between the steps leaves a sealed change, which whoever comes
 * next records (at worst once more, with the same approval and state) and shows.
 */
import type { Clock, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { isPlainObject } from '../base/json.ts';
import type { JsonValue } from '../base/json.ts';
import { approvalKeys, isOver } from './approval.ts';
import type { ApprovalView } from './approval.ts';
import type { ApprovalObjects, ApprovalRecorder, KeptObject, ObjectChange } from './ports.ts';
import type { Step } from './steps.ts';

/** An approval as it is kept. `shown` is null until its request has been recorded. */
type Kept = {
  readonly shown: ApprovalView | null;
  readonly sealed: Step | null;
};

/** An approval without a sealed change, and the revision it stands at. */
export interface Current {
  readonly view: ApprovalView;
  readonly revision: number;
}

/** Told of a change. Must not throw. */
export type Announce = (step: Step) => Promise<void>;

export interface LedgerOptions {
  readonly objects: ApprovalObjects;
  readonly record: ApprovalRecorder;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A sealed change is left so long to the process that sealed it; a second when left out. */
  readonly helpAfterMs?: number;
  /** Called after the change is recorded and before it is shown: a crash in between has it called again. */
  readonly announce?: Announce;
}

const lookEveryMs = 20;

export class Ledger {
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Stores a new approval together with `changes`, records it, shows it. Undefined when `check` does not hold. */
  async create(step: Step, check: { readonly key: string; readonly revision: number }, changes: readonly ObjectChange[]): Promise<ApprovalView | undefined> {
    const kept: Kept = { shown: null, sealed: step };
    const { id } = step.view;
    const outcome = await this.#options.objects.transact([check, { key: approvalKeys.approval(id), revision: 0 }], [
      ...changes, { key: approvalKeys.approval(id), value: kept }, { key: approvalKeys.open(id), value: {} },
    ]);
    if (!outcome.committed) return undefined;
    return this.#complete(outcome.revision ?? 0, step);
  }

  /**
   * Makes the move that `plan` finds for the present state; undefined when it finds none. What `plan` throws is thrown. It is
   * asked again when another process was faster.
   */
  async move(id: string, plan: (view: ApprovalView) => Step | undefined): Promise<ApprovalView> {
    for (;;) {
      const current = await this.current(id);
      if (current === undefined) throw noSuchApproval(id);
      const step = plan(current.view);
      if (step === undefined) return current.view;
      const kept: Kept = { shown: current.view, sealed: step };
      const key = approvalKeys.approval(id);
      const outcome = await this.#options.objects.transact([{ key, revision: current.revision }], [{ key, value: kept }]);
      if (outcome.committed) return this.#complete(outcome.revision ?? 0, step);
    }
  }

  /** Replaces the view in one step, with nothing to record; false when another process was faster. */
  async replace({ revision }: Current, next: ApprovalView): Promise<boolean> {
    return (await this.#show(revision, next)).committed;
  }

  /** The state with nothing sealed: waits for a change that is being recorded, and records it itself when nobody does. */
  async current(id: string): Promise<Current | undefined> {
    const { objects, clock, timers, helpAfterMs = 1000 } = this.#options;
    let sealedAt = { revision: 0, since: 0 };
    for (;;) {
      const object = await objects.get(approvalKeys.approval(id));
      if (object === undefined) return undefined;
      const { shown, sealed } = keptOf(object);
      if (sealed === null) return shown === null ? undefined : { view: shown, revision: object.revision };
      if (sealedAt.revision !== object.revision) sealedAt = { revision: object.revision, since: clock.monotonic() };
      if (clock.monotonic() - sealedAt.since < helpAfterMs) await timers.sleep(lookEveryMs);
      else await this.#complete(object.revision, sealed);
    }
  }

  /** What is shown of an approval: its last recorded state. */
  async shown(id: string): Promise<ApprovalView | undefined> {
    const object = await this.#options.objects.get(approvalKeys.approval(id));
    return object === undefined ? undefined : shownIn(object);
  }

  async #complete(revision: number, step: Step): Promise<ApprovalView> {
    const { view, event } = step;
    await this.#options.record(event);
    await this.#options.announce?.(step);
    // Not going ahead means that another process has shown the very same change.
    await this.#show(revision, view);
    return view;
  }

  #show(revision: number, view: ApprovalView): Promise<{ readonly committed: boolean }> {
    const key = approvalKeys.approval(view.id);
    const kept: Kept = { shown: view, sealed: null };
    const over: readonly ObjectChange[] = isOver(view) ? [{ key: approvalKeys.open(view.id), value: undefined }] : [];
    return this.#options.objects.transact([{ key, revision }], [{ key, value: kept }, ...over]);
  }
}

/** The shown state in an object or a change of one; undefined when there is none. */
export function shownIn(object: ObjectChange): ApprovalView | undefined {
  return object.value === undefined ? undefined : keptOf({ key: object.key, value: object.value }).shown ?? undefined;
}

/** Whether an object holds a change that is not shown yet. */
export function isSealed(object: ObjectChange): boolean {
  return object.value !== undefined && keptOf({ key: object.key, value: object.value }).sealed !== null;
}

export function noSuchApproval(id: string): LokiError {
  return new LokiError('not_found', { attempted: `find approval "${id.slice(0, 40)}"`, found: 'there is none with this id', hint: 'List them with: loki approvals' });
}

function keptOf({ key, value }: Pick<KeptObject, 'key' | 'value'>): Kept {
  if (isKept(value)) return value;
  throw new LokiError('store.corrupt', { attempted: 'read an approval', found: `the object "${key}" is none` });
}

/** Only this file writes these objects, and the store checks that they are as they were written. */
function isKept(value: JsonValue | Kept): value is Kept {
  return isPlainObject(value) && 'shown' in value && 'sealed' in value;
}
