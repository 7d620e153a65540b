/**
 * The ledger of budgets: counts in the store, changed by compare-and-set, so that any number of processes add to one count, and
 * what one of them was told to be durable is counted exactly once, whenever it is killed. It trusts the report for what was
 * used; it refuses nothing and judges nothing.
 */
import type { Clock, Random, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { Store, StoreChange, StoreCheck } from '../store/store.ts';
import { readCount, withMemory, withReport, noMemory, type BudgetMemory, type Count } from './count.ts';
import type { Prices } from './price.ts';
import { prune } from './pruning.ts';
import type { UsageReport } from './usage.ts';
import { periods, reportKey, windowOf, windowPrefix, type BudgetWindow } from './window.ts';

/** What a ledger is given. */
export interface LedgerOptions {
  readonly store: Pick<Store, 'get' | 'list' | 'transact'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly timers: Pick<Timers, 'sleep'>;
  readonly random: Random;
  readonly prices: Prices;
}

/** Somebody else goes ahead each time this one does not, so that nobody waits so often. */
const mostTries = 1000;
/** Those who were beaten wait by lot, longer each time, so that they do not all come back at once. */
const longestPauseMs = 64;

export class Ledger {
  readonly prices: Prices;
  readonly #options: LedgerOptions;
  /** Changes of one process come one after the other: they would only get into each other's way. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.prices = options.prices;
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** Counts a report. Durable when it resolves. One that was counted before, by this process or another, counts nothing. */
  count(report: UsageReport): Promise<void> {
    return this.#inTurn(async () => {
      const windows = periods.map((period) => windowOf(period, report));
      const isNewDay = await this.#retried(report.id, async () => this.#tryToCount(report, windows));
      // What is old is removed when a day begins. The report is counted whatever becomes of that; what is left is removed with the next day.
      if (isNewDay) await prune(this.#options.store, report).catch(() => undefined);
    });
  }

  /** The count of a stretch as it stands. */
  async read({ key }: BudgetWindow): Promise<Count> {
    return readCount(key, (await this.#options.store.get(key))?.value);
  }

  /** The session that was counted last; undefined before the first. */
  async newestSession(projectId: string): Promise<string | undefined> {
    const prefix = windowPrefix(projectId, 'session');
    const [newest] = await this.#options.store.list(prefix, { limit: 1, reverse: true });
    return newest?.key.slice(prefix.length);
  }

  /** Changes what is remembered of a budget in a stretch. `next` may be asked again; undefined leaves it as it is. Gives what it made. */
  remember(window: BudgetWindow, budget: string, next: (memory: BudgetMemory) => BudgetMemory | undefined): Promise<BudgetMemory | undefined> {
    return this.#inTurn(() => this.#retried(window.key, async () => {
      const entry = await this.#options.store.get(window.key);
      const count = readCount(window.key, entry?.value);
      const memory = next(count.budgets[budget] ?? noMemory);
      if (memory === undefined) return { done: undefined };
      const outcome = await this.#options.store.transact([{ key: window.key, revision: entry?.revision ?? 0 }], [{ key: window.key, value: withMemory(count, budget, memory) }]);
      return outcome.committed ? { done: memory } : 'again';
    }));
  }

  /** Whether the report's day begins with it. */
  async #tryToCount(report: UsageReport, windows: readonly BudgetWindow[]): Promise<{ readonly done: boolean } | 'again'> {
    const { store } = this.#options;
    const mark = reportKey(report);
    if (await store.get(mark) !== undefined) return { done: false };
    const checks: StoreCheck[] = [{ key: mark, revision: 0 }];
    const changes: StoreChange[] = [{ key: mark, value: {} }];
    let isNewDay = false;
    for (const { key, period } of windows) {
      const entry = await store.get(key);
      if (period === 'day') isNewDay = entry === undefined;
      checks.push({ key, revision: entry?.revision ?? 0 });
      changes.push({ key, value: withReport(readCount(key, entry?.value), report, this.prices) });
    }
    return (await store.transact(checks, changes)).committed ? { done: isNewDay } : 'again';
  }

  async #retried<T>(what: string, attempt: () => Promise<{ readonly done: T } | 'again'>): Promise<T> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const outcome = await attempt();
      if (outcome !== 'again') return outcome.done;
      await this.#options.timers.sleep(Math.min(longestPauseMs, 2 ** (tries + 1)) * (this.#options.random.bytes(1)[0] ?? 0) / 256);
    }
    throw new LokiError('conflict', { attempted: `count "${what}" against the budgets`, found: `other processes were faster ${mostTries} times`, hint: 'Run the command again' });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
