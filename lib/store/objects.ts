/** The objects of a store in memory: found by key, listed in key order or by an index without looking at the others. */
import type { JsonValue } from '../base/json.ts';
import { frozen } from './check.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { StoreIndex } from './indexes.ts';
import { TermLists } from './term-lists.ts';
import type { IndexedEntry } from './term-lists.ts';
import type { ListByOptions, StoreChange, StoreEntry, StoreKey } from './store.ts';

/** Keys are ASCII, so this ends every key that begins with a prefix. */
const afterEveryKey = '\u007f';

export class Objects {
  readonly #entries = new Map<StoreKey, StoreEntry>();
  readonly #keys = new SortedKeys();
  readonly #terms: TermLists;

  constructor(indexes: readonly StoreIndex[]) {
    this.#terms = new TermLists(indexes);
  }

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
    const before = this.#entries.get(key);
    const known = before !== undefined;
    if (this.#terms.follows) this.#terms.change(before && indexed(before), value === undefined ? undefined : indexed({ key, value }));
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

  /** As `Store.listBy`. */
  listBy(index: string, term: string, options: ListByOptions): readonly StoreEntry[] {
    return this.#terms.list(index, term, options, () => this.#indexed()).flatMap((key) => this.get(key) ?? []);
  }

  /** Every entry in key order. */
  *all(): Generator<StoreEntry> {
    for (const key of this.#keys.upFrom('')) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  *#indexed(): Generator<IndexedEntry> {
    for (const entry of this.all()) yield indexed(entry);
  }

  #down(prefix: string, after: StoreKey | undefined): Generator<string> {
    const end = prefix + afterEveryKey;
    return this.#keys.downFrom(after === undefined || after > end ? end : after);
  }
}

function indexed({ key, value }: { readonly key: StoreKey; readonly value: JsonValue }): IndexedEntry {
  return { key, value: () => value };
}
