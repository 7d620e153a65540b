/**
 * What approvals need of other rooms: a place to keep objects with compare-and-set, and the log of record. The store and
 * the recorder have these shapes; this room knows neither.
 */
import type { JsonObject, JsonValue } from '../base/json.ts';

/** An object as it is kept. */
export interface KeptObject {
  readonly key: string;
  readonly value: JsonValue;
  readonly revision: number;
}

export interface ObjectChange {
  readonly key: string;
  /** Undefined removes the object. */
  readonly value: JsonValue | undefined;
}

/** Sees what every process wrote; a transaction is durable when it resolves, and goes ahead only if every check holds. */
export interface ApprovalObjects {
  get(key: string): Promise<KeptObject | undefined>;
  list(prefix: string, options: { readonly after?: string; readonly limit: number; readonly reverse?: boolean }): Promise<readonly KeptObject[]>;
  transact(checks: readonly { readonly key: string; readonly revision: number }[], changes: readonly ObjectChange[]): Promise<{ readonly committed: boolean; readonly revision?: number }>;
  revision(): Promise<number>;
  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<readonly ObjectChange[]>;
}

export type ApprovalEventName = 'approval.request' | 'approval.approve' | 'approval.reject' | 'approval.expire' | 'approval.override';

export type ApprovalEvent = {
  readonly event: ApprovalEventName;
  readonly actor: string;
  readonly resource: string;
  readonly details: JsonObject;
  readonly metadata: JsonObject;
};

/** Resolves when the event is on the medium; rejects when it could not be recorded. */
export type ApprovalRecorder = (event: ApprovalEvent) => Promise<unknown>;
