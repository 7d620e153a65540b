/**
 * The store port: what the control plane, runs and approvals keep. Narrow on purpose: point reads, ordered listing, one
 * atomic compare-and-set over several keys, and a watch from a revision, which is what etcd offers too.
 */
import type { JsonValue } from '../base/json.ts';

/** A key is 1 to 512 characters of `A-Za-z0-9._:-` in segments parted by `/`. */
export type StoreKey = string;

/** One stored object. A revision counts every committed transaction of the whole store, from 1. */
export interface StoreEntry {
  readonly key: StoreKey;
  readonly value: JsonValue;
  /** Revision of the transaction that last wrote the key. */
  readonly revision: number;
}

/** The transaction goes ahead only if `key` was last written at `revision`; 0 means: does not exist. */
export interface StoreCheck {
  readonly key: StoreKey;
  readonly revision: number;
}

/** Writes a value, or removes the key when `value` is undefined. */
export interface StoreChange {
  readonly key: StoreKey;
  readonly value: JsonValue | undefined;
}

/** A change as a watcher sees it. Changes of one transaction carry one revision and arrive together. */
export interface StoreNotice extends StoreChange {
  readonly revision: number;
}

export type StoreOutcome =
  | { readonly committed: true; readonly revision: number }
  | { readonly committed: false; readonly conflict: StoreKey };

/** Which part of an index to list, and how. Ids are compared as text; ids of one kind sort by the time they were made. */
export interface ListByOptions {
  readonly limit: number;
  /** Goes on after this id: with later ones, or with earlier ones when listing in reverse. */
  readonly after?: string;
  readonly reverse?: boolean;
  /** Ids from here on, and up to here, both included. */
  readonly from?: string;
  readonly to?: string;
}

export interface Store {
  /** The newest committed value. Sees every transaction acknowledged before the call, by any process. */
  get(key: StoreKey): Promise<StoreEntry | undefined>;
  /** Entries whose key starts with `prefix`, in key order (code units), beginning after the key `after`. */
  list(prefix: string, options: { readonly after?: StoreKey; readonly limit: number; readonly reverse?: boolean }): Promise<readonly StoreEntry[]>;
  /**
   * Entries that carry `term` in an index (lib/store/indexes.ts, which also makes the terms), ordered by their id, the last
   * segment of their key, without looking at others. Sees what `get` sees. Throws `request.invalid` for an index there is not.
   */
  listBy(index: string, term: string, options: ListByOptions): Promise<readonly StoreEntry[]>;
  /** All or nothing. Durable when it resolves. */
  transact(checks: readonly StoreCheck[], changes: readonly StoreChange[]): Promise<StoreOutcome>;
  /** The revision of the newest transaction. */
  revision(): Promise<number>;
  /**
   * Changes under `prefix` of every transaction after `from`, in order, each once, then those to come, until `signal`
   * aborts. Throws `gone` when `from` is older than what is kept.
   */
  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<readonly StoreNotice[]>;
  close(): Promise<void>;
}
