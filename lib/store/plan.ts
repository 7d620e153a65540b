/** What one batch of transactions comes to: each is checked against the store and against those before it in the batch. */
import type { WrittenChange } from './frame.ts';
import type { Replica } from './replica.ts';
import type { StoreCheck, StoreKey, StoreOutcome } from './store.ts';

/** A transaction somebody waits for. `bytes` is the size of its values. */
export interface Wanted {
  readonly checks: readonly StoreCheck[];
  readonly changes: readonly WrittenChange[];
  readonly bytes: number;
}

export class Plan {
  readonly #replica: Replica;
  /** Keys written in this batch, with their revision; 0 when removed. */
  readonly #written = new Map<StoreKey, number>();
  readonly #transactions: (readonly WrittenChange[])[] = [];

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** The transactions to write, in order. */
  get transactions(): readonly (readonly WrittenChange[])[] {
    return this.#transactions;
  }

  /** The outcome the transaction will have once the batch is durable. One that changes nothing takes no revision. */
  add({ checks, changes }: Wanted): StoreOutcome {
    const conflict = checks.find(({ key, revision }) => this.#revisionOf(key) !== revision);
    if (conflict !== undefined) return { committed: false, conflict: conflict.key };
    const real = changes.filter(({ key, text }) => text !== undefined || this.#revisionOf(key) !== 0);
    if (real.length > 0) this.#transactions.push(real);
    const revision = this.#replica.revision + this.#transactions.length;
    for (const { key, text } of real) this.#written.set(key, text === undefined ? 0 : revision);
    return { committed: true, revision };
  }

  #revisionOf(key: StoreKey): number {
    return this.#written.get(key) ?? this.#replica.objects.revisionOf(key);
  }
}
