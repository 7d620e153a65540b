/**
 * What was lost of the events that nothing waits for (`info` and `result` in the table of events): how many, which, since
 * when and why. A loss is never silent: the next batch that is written carries an `audit.gap` that tells it.
 */
import { isPlainObject } from '../base/json.ts';
import { isoTime } from './compose.ts';
import type { AuditEvent } from './entry.ts';
import { isEventName, type EventName } from './events.ts';

const lossReasons = ['queue full', 'too large', 'write failed', 'cannot be written'] as const;

/** Why an event was dropped. */
export type LossReason = (typeof lossReasons)[number];

interface Tally {
  count: number;
  /** Milliseconds since the epoch of the first and the last loss. */
  first: number;
  last: number;
  readonly reasons: Map<LossReason, number>;
  readonly events: Map<EventName, number>;
}

/** Counts losses until they have been recorded. Bounded: names and reasons are closed sets. */
export class Losses {
  #tally: Tally = emptyTally();
  /** What the batch on its way tells; counted again when that batch fails. */
  #told: Tally = emptyTally();

  count(event: EventName, reason: LossReason, time: number): void {
    add(this.#tally, { count: 1, first: time, last: time, reasons: new Map([[reason, 1]]), events: new Map([[event, 1]]) });
  }

  /**
   * The entry that tells what has been counted, for a batch that is about to be written; `settle` says what became of it.
   * `others`: details of gaps that other processes could not record, told along; anything else among them is passed over.
   */
  tell(others: readonly unknown[] = []): AuditEvent | undefined {
    const all = emptyTally();
    for (const known of [this.#tally, ...others.map(tallyOf)]) if (known !== undefined) add(all, known);
    if (all.count === 0) return undefined;
    [this.#told, this.#tally] = [this.#tally, emptyTally()];
    const { count, first, last, reasons, events } = all;
    return {
      event: 'audit.gap', actor: 'system',
      details: { count, first: isoTime(first), last: isoTime(last), reasons: Object.fromEntries(reasons), events: Object.fromEntries(events) },
    };
  }

  settle(written: boolean): void {
    if (!written) add(this.#tally, this.#told);
    this.#told = emptyTally();
  }
}

function emptyTally(): Tally {
  return { count: 0, first: Number.POSITIVE_INFINITY, last: 0, reasons: new Map(), events: new Map() };
}

function add(to: Tally, from: Tally): void {
  to.count += from.count;
  to.first = Math.min(to.first, from.first);
  to.last = Math.max(to.last, from.last);
  for (const [reason, count] of from.reasons) to.reasons.set(reason, (to.reasons.get(reason) ?? 0) + count);
  for (const [event, count] of from.events) to.events.set(event, (to.events.get(event) ?? 0) + count);
}

/** A gap's details as counts; undefined when they are none. */
function tallyOf(gap: unknown): Tally | undefined {
  if (!isPlainObject(gap)) return undefined;
  const { count, first, last, reasons, events } = gap;
  const [begun, ended] = [timeIn(first), timeIn(last)];
  if (!isTold(count) || begun === undefined || ended === undefined) return undefined;
  return {
    count, first: begun, last: ended,
    reasons: new Map(countsIn(reasons).flatMap(([name, n]) => lossReasons.filter((reason) => reason === name).map((reason) => [reason, n] as const))),
    events: new Map(countsIn(events).flatMap(([name, n]) => (isEventName(name) ? [[name, n] as const] : []))),
  };
}

function timeIn(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** More than any process can lose. */
const mostLost = 2 ** 40;

function isTold(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < mostLost;
}

function countsIn(value: unknown): readonly (readonly [string, number])[] {
  return isPlainObject(value) ? Object.entries(value).flatMap(([name, n]) => (isTold(n) ? [[name, n] as const] : [])) : [];
}
