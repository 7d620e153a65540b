/**
 * The secondary order of a store's entries: for each index and term the keys that carry it, by id. A list is made when it is
 * first asked for, and then follows every change; what nobody asks for costs nothing. Keys are shared with the primary order.
 */
import { LokiError } from '../errors.ts';
import type { JsonValue } from '../base/json.ts';
import { checkLimit } from './check.ts';
import type { StoreIndex } from './indexes.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { ListByOptions, StoreKey } from './store.ts';

/** An entry whose value is read only when an index needs it. */
export interface IndexedEntry {
  readonly key: StoreKey;
  value(): JsonValue;
}

type Terms = Map<string, SortedKeys>;

/** The last segment of a key. */
export function idOf(key: StoreKey): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

export class TermLists {
  readonly #indexes: ReadonlyMap<string, StoreIndex>;
  readonly #made = new Map<StoreIndex, Terms>();

  constructor(indexes: readonly StoreIndex[]) {
    this.#indexes = new Map(indexes.map((index) => [index.name, index]));
  }

  /** Whether any list follows changes: telling it of them costs nothing otherwise. */
  get follows(): boolean {
    return this.#made.size > 0;
  }

  /** The keys that carry the term, in order of their ids. `all` gives every entry, and is asked when the index is first used. */
  list(name: string, term: string, options: ListByOptions, all: () => Iterable<IndexedEntry>): readonly StoreKey[] {
    checkLimit(options.limit);
    const index = this.#indexes.get(name);
    if (index === undefined) throw new LokiError('request.invalid', { attempted: 'list stored objects', found: `there is no index ${JSON.stringify(name)}` });
    const keys = this.#termsOf(index, all).get(term);
    return keys === undefined ? [] : page(keys, options);
  }

  /** The entry has changed: what it was, and what it is. Undefined where it was not there, or is no more. */
  change(before: IndexedEntry | undefined, after: IndexedEntry | undefined): void {
    for (const [index, terms] of this.#made) {
      const old = termsOf(index, before);
      const now = termsOf(index, after);
      for (const term of old) if (before !== undefined && !now.includes(term)) removeFrom(terms, term, before.key);
      for (const term of now) if (after !== undefined && !old.includes(term)) listFor(terms, term).add(after.key);
    }
  }

  #termsOf(index: StoreIndex, all: () => Iterable<IndexedEntry>): Terms {
    const made = this.#made.get(index);
    if (made !== undefined) return made;
    const found = new Map<string, StoreKey[]>();
    for (const entry of all()) {
      for (const term of termsOf(index, entry)) {
        const keys = found.get(term);
        if (keys === undefined) found.set(term, [entry.key]);
        else keys.push(entry.key);
      }
    }
    const terms: Terms = new Map();
    for (const [term, keys] of found) {
      const list = listFor(terms, term);
      for (const key of sortedById(keys)) list.add(key);
    }
    this.#made.set(index, terms);
    return terms;
  }
}

function termsOf(index: StoreIndex, entry: IndexedEntry | undefined): readonly string[] {
  return entry === undefined ? [] : index.of(entry.key, entry.value);
}

function listFor(terms: Terms, term: string): SortedKeys {
  const known = terms.get(term);
  if (known !== undefined) return known;
  const made = new SortedKeys(byId);
  terms.set(term, made);
  return made;
}

/** A term that nothing carries any more leaves nothing behind: there is no end to terms that were used once. */
function removeFrom(terms: Terms, term: string, key: StoreKey): void {
  const keys = terms.get(term);
  keys?.remove(key);
  if (keys?.size === 0) terms.delete(term);
}

/** By id, then, for what two tenants call the same, the shorter key first: so a bare id comes before every key that ends in it. */
function byId(a: string, b: string): number {
  const [one, two] = [idOf(a), idOf(b)];
  if (one !== two) return one < two ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As sorting `byId`, with each id cut out once. */
function sortedById(keys: readonly StoreKey[]): readonly StoreKey[] {
  const pairs = keys.map((key) => ({ id: idOf(key), key }));
  pairs.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : byId(a.key, b.key)));
  return pairs.map(({ key }) => key);
}

/** Comes right after an id, before any longer one. */
const next = '\0';

function page(keys: SortedKeys, { limit, after, reverse = false, from, to }: ListByOptions): readonly StoreKey[] {
  const found: StoreKey[] = [];
  for (const key of reverse ? keys.downFrom(lowest(after, to)) : keys.upFrom(highest(from, after))) {
    const id = idOf(key);
    if (found.length === limit || (reverse ? from !== undefined && id < from : to !== undefined && id > to)) break;
    if (id !== after) found.push(key);
  }
  return found;
}

/** Where to begin upwards: at `from`, or beyond `after`, whichever is later. */
function highest(from: string = '', after: string = ''): string {
  return after < from ? from : after;
}

/** Where to begin downwards, itself excluded: before `after`, and no later than `to`. */
function lowest(after: string | undefined, to: string | undefined): string | undefined {
  const end = to === undefined ? undefined : to + next;
  if (after === undefined || end === undefined) return after ?? end;
  return after < end ? after : end;
}
