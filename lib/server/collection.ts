/** A store's keys under one prefix as a collection of objects. */
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { LokiError } from '../errors.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import type { Collection, StoredItem } from './services.ts';

/** `prefix` ends with `/`; what follows it in a key is the id. */
export function storeCollection(store: Store, prefix: string): Collection {
  const item = ({ key, value, revision }: StoreEntry): StoredItem => ({ id: key.slice(prefix.length), revision, value: objectOf(key, value) });
  return {
    async get(id) {
      const entry = await store.get(prefix + id);
      return entry === undefined ? undefined : item(entry);
    },
    async list({ after, limit, reverse = false }) {
      const entries = await store.list(prefix, { limit, reverse, ...(after === undefined ? {} : { after: prefix + after }) });
      return entries.map(item);
    },
  };
}

function objectOf(key: string, value: JsonValue): JsonObject {
  if (isObject(value)) return value;
  throw new LokiError('store.corrupt', { attempted: 'read a stored object', found: `"${key}" holds no object` });
}

function isObject(value: JsonValue): value is JsonObject {
  return isPlainObject(value);
}
