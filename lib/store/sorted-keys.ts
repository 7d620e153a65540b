/**
 * Keys in order, as a list of short sorted lists: finding, inserting and removing touch one short list, whatever the number
 * of keys, and keys that come in order are simply appended. The order is that of code units unless another is given.
 */

/** Negative when `a` comes before `b`, 0 for the same key. */
export type KeyOrder = (a: string, b: string) => number;

/** A list longer than this is split in two. */
const longestChunk = 1024;

const byCodeUnits: KeyOrder = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

export class SortedKeys {
  readonly #chunks: string[][] = [];
  readonly #order: KeyOrder;
  #size = 0;

  constructor(order: KeyOrder = byCodeUnits) {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a key that is not there yet. */
  add(key: string): void {
    this.#size += 1;
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#order(last.at(-1) ?? '', key) < 0) {
      if (last.length < longestChunk) last.push(key);
      else this.#chunks.push([key]);
      return;
    }
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(this.#firstFrom(chunk, key), 0, key);
    if (chunk.length > longestChunk) this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1));
  }

  /** Removes a key that is there. */
  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk.splice(this.#firstFrom(chunk, key), 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Keys equal to `from` or after it, upwards. Do not change the keys meanwhile. */
  *upFrom(from: string): Generator<string> {
    for (let at = this.#chunkOf(from); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = this.#firstFrom(chunk, from); index < chunk.length; index += 1) yield chunk[index] ?? '';
    }
  }

  /** Keys before `below`, downwards; all of them when it is left out. Do not change the keys meanwhile. */
  *downFrom(below?: string): Generator<string> {
    for (let at = below === undefined ? this.#chunks.length - 1 : this.#chunkOf(below); at >= 0; at -= 1) {
      const chunk = this.#chunks[at] ?? [];
      const end = below === undefined ? chunk.length : this.#firstFrom(chunk, below);
      for (let index = end - 1; index >= 0; index -= 1) yield chunk[index] ?? '';
    }
  }

  /** The last list that begins at or before `key`; the first one when all begin after it. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order(this.#chunks[middle]?.[0] ?? '', key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Index of the first key that is not before `key`. */
  #firstFrom(chunk: readonly string[], key: string): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order(chunk[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
