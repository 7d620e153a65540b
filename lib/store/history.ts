/**
 * The newest transactions, kept so that a watcher can go on from a revision it has seen. Bounded by number and by bytes:
 * what falls out is gone for watchers, and they are told so.
 */
import type { StoreNotice } from './store.ts';

/** Bytes of journal that the kept transactions took, at most. */
const mostBytes = 16 * 1024 * 1024;

interface Kept {
  readonly notices: readonly StoreNotice[];
  readonly bytes: number;
}

export class History {
  readonly #most: number;
  #kept: Kept[] = [];
  #bytes = 0;
  /** Revision of the newest transaction added, or the revision the history began after. */
  #newest: number;

  constructor(most: number, revision: number) {
    this.#most = most;
    this.#newest = revision;
  }

  get newest(): number {
    return this.#newest;
  }

  /** The earliest revision that can still be read; `newest + 1` when nothing is kept. */
  get oldest(): number {
    return this.#newest - this.#kept.length + 1;
  }

  /** Adds the transaction with the revision `newest + 1`. */
  add(notices: readonly StoreNotice[], bytes: number): void {
    this.#kept.push({ notices, bytes });
    this.#bytes += bytes;
    this.#newest += 1;
    while (this.#kept.length > this.#most || (this.#bytes > mostBytes && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    }
  }

  /** Changes of one transaction; undefined when it is not kept or has not happened. */
  at(revision: number): readonly StoreNotice[] | undefined {
    return this.#kept[revision - this.oldest]?.notices;
  }
}
