/** Where a run's timeline ends. Whoever appends to it checks this entry and replaces it, in one transaction with the events. */
import type { JsonValue } from '../base/json.ts';
import { StoredObject } from './progress.ts';

export type Tail = {
  /** Sequence number of the newest event, 0 before the first. */
  readonly seq: number;
  /** Its time, so that a clock set back never makes the timeline go back. */
  readonly time: string | null;
};

/** The value a store keeps. */
export function tailValue(tail: Tail): JsonValue {
  return { ...tail };
}

/** Throws `store.corrupt` for anything that is none. */
export function readTail(value: JsonValue): Tail {
  const from = new StoredObject('end of a timeline', value);
  return { seq: from.count('seq'), time: from.textOrNull('time') };
}
