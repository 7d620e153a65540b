/**
 * Many callers, one lock, one sync: what was asked for while a batch was on its way to the disk goes out together in the
 * next one. The lock is held while there is work, but never longer than a few milliseconds, so that other processes come
 * to their turn. What is less urgent may wait a little for company, and never takes the place of what is urgent.
 */
import type { Cancel, Clock, Lock, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';

/** How work is committed. */
export interface GroupCommitOptions<Item, Receipt> {
  readonly lock: Lock;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Waiting longer than this for the lock fails the waiting items. */
  readonly lockTimeoutMs: number;
  /** Items of one batch at most; `weigh` tells the bytes of one, `batchBytes` the bytes of a batch. */
  readonly batchItems: number;
  readonly batchBytes: number;
  readonly weigh: (item: Item) => number;
  /**
   * Writes the batch durably, under the lock, and gives a receipt for each item in order. When it throws, none of the
   * items counts as written and every caller gets the error.
   */
  readonly commit: (items: readonly Item[]) => readonly Receipt[];
  /** Called after a batch, when its callers have their receipts; the lock is still held, so it must be quick. What it throws is lost. */
  readonly committed?: () => void;
}

/**
 * `now`: the next batch. `soon`: when a batch was written a moment ago, a few milliseconds later, or with what is urgent.
 * `late`: as far as there is room beside the others, or after a while; a process that has nothing else to do does not wait for it.
 */
export type Urgency = 'now' | 'soon' | 'late';

export interface GroupCommit<Item, Receipt> {
  /** Resolves when the item is durable. */
  add(item: Item, urgency?: Urgency): Promise<Receipt>;
  /** Sends what is waiting; resolves when nothing is waiting or on its way any more. */
  idle(): Promise<void>;
}

/** Longest time the lock is kept while others are known to be waiting: no batch is begun that would go beyond it. */
const longestHoldMs = 5;
/** Others are noticed in a turn of the event loop, so one is due well within that time. */
const turnEveryMs = 2;
/** Between a receipt and the caller's next item lie a few promises, one for each function that hands them on. */
const stepsOfCaller = 12;
/** Those who cannot make themselves known (another network namespace) get a turn after this. */
const longestUnaskedHoldMs = 50;
/** More items than this do not wait: a medium that stands still must not fill the memory. */
const mostWaiting = 65_536;
/** What may be written soon goes out so long after the batch before, and what may be late after this. */
const soonMs = 10;
const lateMs = 50;
/** More of them do not wait for company; of what is late more do, for a sync in the middle of them delays everybody. */
const enoughCompany = 64;
const enoughLate = 512;

interface Waiting<Item, Receipt> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

export function createGroupCommit<Item, Receipt>(options: GroupCommitOptions<Item, Receipt>): GroupCommit<Item, Receipt> {
  const { lock, clock, timers } = options;
  let queue: Waiting<Item, Receipt>[] = [];
  let late: Waiting<Item, Receipt>[] = [];
  let working: Promise<void> | undefined;
  /** When the last batch was done; before the first one nobody waits for company. */
  let doneAt = Number.NEGATIVE_INFINITY;
  let lingering = false;
  /** Whether what is late is due as well, and the timer that makes it so. */
  let lateIsDue = false;
  let lateTimer: Cancel | undefined;

  function start(): void {
    working ??= work();
  }

  async function work(): Promise<void> {
    try {
      while (isWork()) await lockAndCommit();
    } finally {
      // In the same step as the last look at the queue, or an item added in between would wait for ever.
      working = undefined;
    }
    if (late.length > 0) awaitLate();
  }

  function isWork(): boolean {
    return queue.length > 0 || (lateIsDue && late.length > 0);
  }

  /** Sleeping, not a timer: a caller awaits this item, so the process must live until it is written. */
  function linger(): void {
    const wait = doneAt + soonMs - clock.monotonic();
    if (working !== undefined || wait <= 0 || queue.length >= enoughCompany) return start();
    if (lingering) return;
    lingering = true;
    void timers.sleep(wait).then(() => {
      lingering = false;
      if (isWork()) start();
    });
  }

  function awaitLate(): void {
    if (late.length >= enoughLate) return sendLate();
    lateTimer ??= timers.after(lateMs, sendLate);
  }

  function sendLate(): void {
    lateTimer?.();
    lateTimer = undefined;
    lateIsDue = late.length > 0;
    if (isWork()) start();
  }

  async function lockAndCommit(): Promise<void> {
    try {
      await lock.acquire(options.lockTimeoutMs);
    } catch (error) {
      for (const waiting of takeAll()) waiting.reject(error);
      return;
    }
    let asked = true;
    try {
      asked = await commitWhileAlone();
    } finally {
      lock.release();
    }
    // Whoever waits has just been woken: without a pause the lock would be taken again before they can take it.
    if (asked || isWork()) await timers.sleep(1);
  }

  /** One batch after the other, until the queue is empty or others have waited long enough; whether others wait. */
  async function commitWhileAlone(): Promise<boolean> {
    const since = clock.monotonic();
    let turned = since;
    for (;;) {
      const begun = clock.monotonic();
      settle(takeBatch());
      await callersGoOn();
      tellCommitted();
      // A turn of the event loop costs as much as a fifth of a sync; it is taken when nobody follows, or is due.
      if (!isWork() || clock.monotonic() - turned > turnEveryMs) {
        await timers.yield();
        turned = clock.monotonic();
      }
      const now = clock.monotonic();
      // The next batch will take about as long as this one did.
      const end = now + (now - begun) - since;
      if (!isWork() || end > (lock.contended() ? longestHoldMs : longestUnaskedHoldMs)) return lock.contended();
    }
  }

  /** Callers that were waiting for this batch add their next items now: a few steps of their promises, no turn of the event loop. */
  async function callersGoOn(): Promise<void> {
    for (let step = 0; step < stepsOfCaller; step += 1) await undefined;
  }

  function tellCommitted(): void {
    try {
      options.committed?.();
    } catch {
      // Whoever listens must not stand in the way of those who write.
    }
  }

  function settle(batch: readonly Waiting<Item, Receipt>[]): void {
    let receipts: readonly Receipt[];
    try {
      receipts = options.commit(batch.map((waiting) => waiting.item));
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
      return;
    } finally {
      doneAt = clock.monotonic();
    }
    batch.forEach((waiting, at) => {
      const receipt = receipts[at];
      if (receipt === undefined) waiting.reject(new RangeError(`commit() gave ${receipts.length} receipts for ${batch.length} items`));
      else waiting.resolve(receipt);
    });
  }

  /** What is late was asked for before most of the others: it stands first, and takes only the room that they leave. */
  function takeBatch(): readonly Waiting<Item, Receipt>[] {
    const room = { items: options.batchItems, bytes: options.batchBytes };
    const urgent = takeFrom(queue, room);
    queue = queue.slice(urgent.length);
    if (late.length === 0) return urgent;
    const company = takeFrom(late, room);
    late = late.slice(company.length);
    if (late.length === 0) lateIsDue = false;
    return [...company, ...urgent];
  }

  /** As many as there is room for; one of any weight when nothing stands in the batch yet. */
  function takeFrom(from: readonly Waiting<Item, Receipt>[], room: { items: number; bytes: number }): Waiting<Item, Receipt>[] {
    let count = 0;
    for (const { weight } of from) {
      const isFirst = room.items === options.batchItems;
      if (!isFirst && (room.items <= 0 || weight > room.bytes)) break;
      count += 1;
      room.items -= 1;
      room.bytes -= weight;
    }
    return from.slice(0, count);
  }

  function takeAll(): readonly Waiting<Item, Receipt>[] {
    const all = [...late, ...queue];
    [queue, late, lateIsDue] = [[], [], false];
    return all;
  }

  return {
    add(item, urgency = 'now') {
      return new Promise((resolve, reject) => {
        const count = queue.length + late.length;
        if (count >= mostWaiting) throw new LokiError('rate_limited', { attempted: 'queue a write', found: `${count} are waiting already` });
        const waiting = { item, weight: options.weigh(item), resolve, reject };
        (urgency === 'late' ? late : queue).push(waiting);
        if (urgency === 'now') start();
        else if (urgency === 'soon') linger();
        else awaitLate();
      });
    },
    async idle() {
      sendLate();
      if (isWork()) start();
      while (working !== undefined) await working;
    },
  };
}
