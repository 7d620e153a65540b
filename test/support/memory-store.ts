/**
 * The store port in memory: one process, nothing kept. For tests of rooms that use a store. It passes the same suite as
 * the embedded driver (test/store/store-suite.ts).
 */
import { LokiError } from '../../lib/errors.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import { checkBytes, checkDepth, checkKey, checkLimit, checkPrefix, checkRevision, checkTransaction, frozen } from '../../lib/store/check.ts';
import { storeIndexes } from '../../lib/store/indexes.ts';
import type { StoreIndex } from '../../lib/store/indexes.ts';
import type { Store, StoreChange, StoreEntry, StoreNotice } from '../../lib/store/store.ts';

/** A new, empty store. `history` is how many transactions a watcher can go back (1,000 when left out). */
export function createMemoryStore(options: { readonly history?: number; readonly indexes?: readonly StoreIndex[] } = {}): Store {
  const most = options.history ?? 1000;
  const entries = new Map<string, StoreEntry>();
  const history: (readonly StoreNotice[])[] = [];
  const wakers = new Set<() => void>();
  let revision = 0;
  let closed = false;

  const alive = (attempted: string): void => {
    if (closed) throw new LokiError('interrupted', { attempted, found: 'the store is closed' });
  };

  const wake = (): void => {
    for (const run of [...wakers]) run();
  };

  const changed = (signal: AbortSignal): Promise<void> => new Promise((resolve) => {
    const done = (): void => {
      wakers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    wakers.add(done);
    signal.addEventListener('abort', done);
  });

  const apply = (changes: readonly StoreChange[]): number => {
    const real = changes.filter(({ key, value }) => value !== undefined || entries.has(key));
    if (real.length === 0) return revision;
    revision += 1;
    const notices = real.map(({ key, value }) => {
      if (value === undefined) entries.delete(key);
      else entries.set(key, { key, value, revision });
      return { key, value, revision };
    });
    history.push(notices);
    if (history.length > most) history.shift();
    wake();
    return revision;
  };

  return {
    async get(key) {
      checkKey(key);
      alive('read a stored object');
      return entries.get(key);
    },
    async list(prefix, { after, limit, reverse = false }) {
      checkPrefix(prefix);
      if (after !== undefined) checkKey(after);
      checkLimit(limit);
      alive('list stored objects');
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
      if (reverse) keys.reverse();
      const rest = after === undefined ? keys : keys.filter((key) => (reverse ? key < after : key > after));
      return rest.slice(0, limit).flatMap((key) => entries.get(key) ?? []);
    },
    async listBy(index, term, { limit, after, reverse = false, from = '', to = '\u007f' }) {
      checkLimit(limit);
      alive('list stored objects');
      const { of } = indexNamed(options.indexes ?? storeIndexes, index);
      const ids = [...entries.values()].filter(({ key, value }) => of(key, () => value).includes(term)).map((entry) => ({ entry, id: entry.key.slice(entry.key.lastIndexOf('/') + 1) }));
      ids.sort((a, b) => (a.id < b.id ? -1 : 1));
      if (reverse) ids.reverse();
      const isAsked = (id: string): boolean => id >= from && id <= to && (after === undefined || (reverse ? id < after : id > after));
      return ids.filter(({ id }) => isAsked(id)).slice(0, limit).map(({ entry }) => entry);
    },
    async transact(checks, changes) {
      checkTransaction(checks, changes);
      const copies = changes.map(copied);
      checkBytes(copies.reduce((sum, { bytes }) => sum + bytes, 0));
      alive('change stored objects');
      const conflict = checks.find(({ key, revision: at }) => (entries.get(key)?.revision ?? 0) !== at);
      if (conflict !== undefined) return { committed: false, conflict: conflict.key };
      return { committed: true, revision: apply(copies) };
    },
    async revision() {
      alive('read the store revision');
      return revision;
    },
    async *watch(prefix, from, signal) {
      checkPrefix(prefix);
      checkRevision(from);
      alive('watch the store');
      let next = from + 1;
      while (!signal.aborted && !closed) {
        const oldest = revision - history.length + 1;
        if (next < oldest || next > revision + 1) {
          throw new LokiError('gone', { attempted: `watch the store from revision ${from}`, found: `it keeps ${oldest} to ${revision}` });
        }
        const notices = history[next - oldest];
        if (notices === undefined) {
          await changed(signal);
          continue;
        }
        next += 1;
        const mine = notices.filter(({ key }) => key.startsWith(prefix));
        if (mine.length > 0) yield mine;
      }
    },
    async close() {
      closed = true;
      wake();
    },
  };
}

function indexNamed(indexes: readonly StoreIndex[], name: string): StoreIndex {
  const index = indexes.find((one) => one.name === name);
  if (index === undefined) throw new LokiError('request.invalid', { attempted: 'list stored objects', found: `there is no index ${JSON.stringify(name)}` });
  return index;
}

/** The change with a frozen copy of its value, as a store that writes JSON would give it back, and the copy's size in bytes. */
function copied({ key, value }: StoreChange): StoreChange & { readonly bytes: number } {
  if (value === undefined) return { key, value, bytes: 0 };
  const text = JSON.stringify(value);
  checkDepth(key, text);
  const copy: JsonValue = JSON.parse(text);
  return { key, value: frozen(copy), bytes: Buffer.byteLength(text) };
}
