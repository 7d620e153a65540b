/** The objects of a store in memory: found by key, listed in key order without looking at the others. */
import { frozen } from './check.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { StoreChange, StoreEntry, StoreKey } from './store.ts';

/** Keys are ASCII, so this ends every key that begins with a prefix. */
const afterEveryKey = '\u007f';

export class Objects {
  readonly #entries = new Map<StoreKey, StoreEntry>();
  readonly #keys = new SortedKeys();

  get size(): number {
    return this.#entries.size;
  }

  has(key: StoreKey): boolean {
    return this.#entries.has(key);
  }

  /** The revision that last wrote the key; 0 when it does not exist. */
  revisionOf(key: StoreKey): number {
    return this.#entries.get(key)?.revision ?? 0;
  }

  get(key: StoreKey): StoreEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) frozen(entry.value);
    return entry;
  }

  apply({ key, value }: StoreChange, revision: number): void {
    const known = this.#entries.has(key);
    if (value !== undefined) {
      this.#entries.set(key, { key, value, revision });
      if (!known) this.#keys.add(key);
    } else if (known) {
      this.#entries.delete(key);
      this.#keys.remove(key);
    }
  }

  /** As `Store.list`. */
  list(prefix: string, after: StoreKey | undefined, limit: number, reverse: boolean): readonly StoreEntry[] {
    const found: StoreEntry[] = [];
    for (const key of reverse ? this.#down(prefix, after) : this.#keys.upFrom(after === undefined || after < prefix ? prefix : after)) {
      if (found.length === limit || !key.startsWith(prefix)) break;
      const entry = key === after ? undefined : this.get(key);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** Every entry in key order. */
  *all(): Generator<StoreEntry> {
    for (const key of this.#keys.upFrom('')) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  #down(prefix: string, after: StoreKey | undefined): Generator<string> {
    const end = prefix + afterEveryKey;
    return this.#keys.downFrom(after === undefined || after > end ? end : after);
  }
}
