/**
 * Entries that were read not long ago, so that what is asked for again and again is not parsed each time. Bounded by the
 * bytes of their values: when the newer half is full, the older half is forgotten and the newer one becomes the older.
 */
import type { StoreEntry, StoreKey } from './store.ts';

/** Bytes of values, as text, of one half. */
const halfBytes = 8 * 1024 * 1024;

export class Recent {
  #older = new Map<StoreKey, StoreEntry>();
  #newer = new Map<StoreKey, StoreEntry>();
  #bytes = 0;

  get(key: StoreKey): StoreEntry | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** Keeps an entry that is not kept yet. `bytes` is the length of its value's text. */
  add(entry: StoreEntry, bytes: number): void {
    if (this.#bytes > halfBytes) {
      [this.#older, this.#newer] = [this.#newer, new Map()];
      this.#bytes = 0;
    }
    this.#newer.set(entry.key, entry);
    this.#bytes += bytes + entryBytes;
  }

  forget(key: StoreKey): void {
    if (!this.#newer.delete(key)) this.#older.delete(key);
  }
}

/** What an entry takes beside its value. */
const entryBytes = 200;
