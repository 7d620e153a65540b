/**
 * The objects of a store in memory: found by key, listed in key order or by an index without looking at the others. What a
 * snapshot held rests here as the bytes it had there and is parsed when somebody asks: a million objects are loaded without
 * making a million values, and the garbage collector has little to look at.
 */
import type { JsonValue } from '../base/json.ts';
import { jsonIn } from '../base/json.ts';
import { LokiError } from '../errors.ts';
import { frozen } from './check.ts';
import type { StoreIndex } from './indexes.ts';
import { Recent } from './recent.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { ListByOptions, StoreChange, StoreEntry, StoreKey } from './store.ts';
import { TermLists } from './term-lists.ts';
import type { IndexedEntry } from './term-lists.ts';

/** Keys are ASCII, so this ends every key that begins with a prefix. */
const afterEveryKey = '\u007f';

const encoder = new TextEncoder();

/** An object as it is written down. */
export interface WrittenObject {
  readonly key: StoreKey;
  readonly revision: number;
  /** Its value as JSON text. */
  readonly text: Uint8Array;
}

export class Objects {
  /** A key's place in the lists below. */
  readonly #places = new Map<StoreKey, number>();
  readonly #free: number[] = [];
  /** The entry itself, or the bytes among which the text of its value stands. */
  readonly #held: (StoreEntry | Uint8Array)[] = [];
  #revisions = new Float64Array(1024);
  #starts = new Uint32Array(1024);
  #ends = new Uint32Array(1024);
  readonly #keys = new SortedKeys();
  readonly #recent = new Recent();
  readonly #terms: TermLists;

  constructor(indexes: readonly StoreIndex[]) {
    this.#terms = new TermLists(indexes);
  }

  get size(): number {
    return this.#places.size;
  }

  has(key: StoreKey): boolean {
    return this.#places.has(key);
  }

  /** The revision that last wrote the key; 0 when it does not exist. */
  revisionOf(key: StoreKey): number {
    const place = this.#places.get(key);
    return place === undefined ? 0 : this.#revisions[place] ?? 0;
  }

  get(key: StoreKey): StoreEntry | undefined {
    const place = this.#places.get(key);
    const held = place === undefined ? undefined : this.#held[place];
    if (place === undefined || held === undefined) return undefined;
    if (!(held instanceof Uint8Array)) {
      frozen(held.value);
      return held;
    }
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const entry = { key, value: frozen(this.#valueAt(place)), revision: this.#revisions[place] ?? 0 };
    this.#recent.add(entry, (this.#ends[place] ?? 0) - (this.#starts[place] ?? 0));
    return entry;
  }

  apply({ key, value }: StoreChange, revision: number): void {
    const known = this.#places.get(key);
    if (this.#terms.follows) this.#terms.change(known === undefined ? undefined : this.#indexed(key, known), value === undefined ? undefined : { key, value: () => value });
    if (known !== undefined && this.#held[known] instanceof Uint8Array) this.#recent.forget(key);
    if (value !== undefined) this.#hold(known ?? this.#placeFor(key), { key, value, revision }, revision);
    else if (known !== undefined) this.#remove(key, known);
  }

  /** As `apply`, for an object whose value stands as text in `bytes`, which nobody changes any more. */
  rest(key: StoreKey, revision: number, bytes: Uint8Array, start: number, end: number): void {
    const place = this.#places.get(key) ?? this.#placeFor(key);
    this.#hold(place, bytes, revision);
    this.#starts[place] = start;
    this.#ends[place] = end;
  }

  /** As `rest`, when the object is still as it was at that revision: its value has just been written down. */
  settle(key: StoreKey, revision: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.revisionOf(key) === revision) this.rest(key, revision, bytes, start, end);
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
    return this.#terms.list(index, term, options, () => this.#allIndexed()).flatMap((key) => this.get(key) ?? []);
  }

  /** Every object whose key comes after `after`, in key order. Do not change the objects meanwhile. */
  *written(after: StoreKey = ''): Generator<WrittenObject> {
    for (const key of this.#keys.upFrom(after)) {
      const place = this.#places.get(key);
      if (place !== undefined && key !== after) yield { key, revision: this.#revisions[place] ?? 0, text: this.#textAt(place) };
    }
  }

  /** Every object with its value, in key order. Do not change the objects meanwhile. */
  *values(): Generator<{ readonly key: StoreKey; readonly value: JsonValue }> {
    for (const key of this.#keys.upFrom('')) yield { key, value: this.#valueAt(this.#places.get(key) ?? -1) };
  }

  #hold(place: number, held: StoreEntry | Uint8Array, revision: number): void {
    this.#held[place] = held;
    this.#revisions[place] = revision;
  }

  #placeFor(key: StoreKey): number {
    const place = this.#free.pop() ?? this.#held.length;
    if (place >= this.#revisions.length) this.#grow();
    this.#places.set(key, place);
    this.#keys.add(key);
    return place;
  }

  #remove(key: StoreKey, place: number): void {
    this.#places.delete(key);
    this.#keys.remove(key);
    this.#held[place] = nothing;
    this.#free.push(place);
  }

  #grow(): void {
    const length = this.#revisions.length * 2;
    const grown = <T extends { set(from: T): void }>(made: T, from: T): T => {
      made.set(from);
      return made;
    };
    this.#revisions = grown(new Float64Array(length), this.#revisions);
    this.#starts = grown(new Uint32Array(length), this.#starts);
    this.#ends = grown(new Uint32Array(length), this.#ends);
  }

  #textAt(place: number): Uint8Array {
    const held = this.#held[place] ?? nothing;
    return held instanceof Uint8Array ? held.subarray(this.#starts[place], this.#ends[place]) : encoder.encode(JSON.stringify(held.value));
  }

  #valueAt(place: number): JsonValue {
    const held = this.#held[place] ?? nothing;
    if (!(held instanceof Uint8Array)) return held.value;
    const value = jsonIn(this.#textAt(place));
    if (value === undefined) throw new LokiError('store.corrupt', { attempted: 'read a stored object', found: 'the snapshot was written with a value that is no JSON' });
    return value;
  }

  #indexed(key: StoreKey, place: number): IndexedEntry {
    return { key, value: () => this.#valueAt(place) };
  }

  *#allIndexed(): Generator<IndexedEntry> {
    for (const key of this.#keys.upFrom('')) yield this.#indexed(key, this.#places.get(key) ?? -1);
  }

  #down(prefix: string, after: StoreKey | undefined): Generator<string> {
    const end = prefix + afterEveryKey;
    return this.#keys.downFrom(after === undefined || after > end ? end : after);
  }
}

/** What stands in a place that is free. */
const nothing = new Uint8Array(0);
