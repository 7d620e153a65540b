/**
 * Keys in code-unit order, as a list of short sorted lists: finding, inserting and removing touch one short list, whatever
 * the number of keys, and keys that come in order are simply appended.
 */

/** A list longer than this is split in two. */
const longestChunk = 1024;

export class SortedKeys {
  readonly #chunks: string[][] = [];

  /** Adds a key that is not there yet. */
  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(firstFrom(chunk, key), 0, key);
    if (chunk.length > longestChunk) this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1));
  }

  /** Removes a key that is there. */
  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk.splice(firstFrom(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Keys equal to `from` or after it, upwards. Do not change the keys meanwhile. */
  *upFrom(from: string): Generator<string> {
    for (let at = this.#chunkOf(from); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = firstFrom(chunk, from); index < chunk.length; index += 1) yield chunk[index] ?? '';
    }
  }

  /** Keys before `below`, downwards. Do not change the keys meanwhile. */
  *downFrom(below: string): Generator<string> {
    for (let at = this.#chunkOf(below); at >= 0; at -= 1) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = firstFrom(chunk, below) - 1; index >= 0; index -= 1) yield chunk[index] ?? '';
    }
  }

  /** The last list that begins at or before `key`; the first one when all begin after it. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** Index of the first key that is not before `key`. */
function firstFrom(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
