/**
 * The state of a tree that grows at its right edge ("compact range"): the roots of the complete subtrees that its size is
 * the sum of, one for each 1 in the size's binary digits. Appending costs two hashes on average, the root one for each digit.
 */
import { emptyRoot, hashBytes } from './hash.ts';
import { nodeHashInto } from './hasher.ts';

/** 2^53 leaves at most: as many as numbers count exactly. */
const mostLevels = 54;

/** Called with the hash of each subtree of 2^level leaves as it becomes complete, leaves (level 0) included. Copy what is kept. */
export type OnComplete = (level: number, memory: Buffer, at: number) => void;

export class Frontier {
  readonly #stack: Buffer = Buffer.alloc(mostLevels * hashBytes);
  readonly #carry: Buffer = Buffer.alloc(hashBytes);
  #depth = 0;
  #size = 0;

  /** From the subtrees' roots, the largest first, as `parts(size)` asks for them. */
  static of(size: number, roots: readonly Uint8Array[]): Frontier {
    const frontier = new Frontier();
    for (const root of roots) {
      frontier.#stack.set(root, frontier.#depth * hashBytes);
      frontier.#depth += 1;
    }
    frontier.#size = size;
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  copy(): Frontier {
    const other = new Frontier();
    this.#stack.copy(other.#stack, 0, 0, this.#depth * hashBytes);
    [other.#depth, other.#size] = [this.#depth, this.#size];
    return other;
  }

  /** Takes the next leaf's hash. */
  append(memory: Buffer, at: number, onComplete: OnComplete): void {
    memory.copy(this.#carry, 0, at, at + hashBytes);
    onComplete(0, this.#carry, 0);
    let level = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      this.#depth -= 1;
      nodeHashInto(this.#carry, 0, this.#stack, this.#depth * hashBytes, this.#carry, 0);
      level += 1;
      onComplete(level, this.#carry, 0);
    }
    this.#carry.copy(this.#stack, this.#depth * hashBytes);
    this.#depth += 1;
    this.#size += 1;
  }

  root(): Uint8Array {
    if (this.#depth === 0) return emptyRoot;
    const out = Buffer.alloc(hashBytes);
    this.#stack.copy(out, 0, (this.#depth - 1) * hashBytes, this.#depth * hashBytes);
    for (let at = this.#depth - 2; at >= 0; at -= 1) nodeHashInto(out, 0, this.#stack, at * hashBytes, out, 0);
    return out;
  }
}

/** The root over leaves' data, in order. */
export function root(leafHashes: Iterable<Uint8Array>): Uint8Array {
  const frontier = new Frontier();
  for (const hash of leafHashes) frontier.append(Buffer.from(hash), 0, () => undefined);
  return frontier.root();
}
