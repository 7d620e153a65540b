/**
 * Many callers, one lock, one sync: what was asked for while a batch was on its way to the disk goes out together in the
 * next one. The lock is held while there is work, but never longer than a few milliseconds, so that other processes come
 * to their turn.
 */
import type { Clock, Lock, Timers } from '../ports.ts';
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
}

export interface GroupCommit<Item, Receipt> {
  /** Resolves when the item is durable. */
  add(item: Item): Promise<Receipt>;
  /** Resolves when nothing is waiting or on its way any more. */
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

interface Waiting<Item, Receipt> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

export function createGroupCommit<Item, Receipt>(options: GroupCommitOptions<Item, Receipt>): GroupCommit<Item, Receipt> {
  const { lock, clock, timers } = options;
  let queue: Waiting<Item, Receipt>[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    try {
      while (queue.length > 0) await lockAndCommit();
    } finally {
      // In the same step as the last look at the queue, or an item added in between would wait for ever.
      working = undefined;
    }
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
    if (asked || queue.length > 0) await timers.sleep(1);
  }

  /** One batch after the other, until the queue is empty or others have waited long enough; whether others wait. */
  async function commitWhileAlone(): Promise<boolean> {
    const since = clock.monotonic();
    let turned = since;
    for (;;) {
      const begun = clock.monotonic();
      settle(takeBatch());
      await callersGoOn();
      // A turn of the event loop costs as much as a fifth of a sync; it is taken when nobody follows, or is due.
      if (queue.length === 0 || clock.monotonic() - turned > turnEveryMs) {
        await timers.yield();
        turned = clock.monotonic();
      }
      const now = clock.monotonic();
      // The next batch will take about as long as this one did.
      const end = now + (now - begun) - since;
      if (queue.length === 0 || end > (lock.contended() ? longestHoldMs : longestUnaskedHoldMs)) return lock.contended();
    }
  }

  /** Callers that were waiting for this batch add their next items now: a few steps of their promises, no turn of the event loop. */
  async function callersGoOn(): Promise<void> {
    for (let step = 0; step < stepsOfCaller; step += 1) await undefined;
  }

  function settle(batch: readonly Waiting<Item, Receipt>[]): void {
    let receipts: readonly Receipt[];
    try {
      receipts = options.commit(batch.map((waiting) => waiting.item));
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    batch.forEach((waiting, at) => {
      const receipt = receipts[at];
      if (receipt === undefined) waiting.reject(new RangeError(`commit() gave ${receipts.length} receipts for ${batch.length} items`));
      else waiting.resolve(receipt);
    });
  }

  function takeBatch(): readonly Waiting<Item, Receipt>[] {
    let count = 0;
    let weight = 0;
    for (const waiting of queue) {
      if (count > 0 && (count >= options.batchItems || weight + waiting.weight > options.batchBytes)) break;
      count += 1;
      weight += waiting.weight;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    return batch;
  }

  function takeAll(): readonly Waiting<Item, Receipt>[] {
    const all = queue;
    queue = [];
    return all;
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        if (queue.length >= mostWaiting) throw new LokiError('rate_limited', { attempted: 'queue a write', found: `${queue.length} are waiting already` });
        queue.push({ item, weight: options.weigh(item), resolve, reject });
        working ??= work();
      });
    },
    async idle() {
      while (working !== undefined) await working;
    },
  };
}
