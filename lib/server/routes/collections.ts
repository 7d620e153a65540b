/** Lists and single objects of one kind. */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ApiRequest, Handler } from '../message.ts';
import { pageRequest, pageResponse } from '../page.ts';
import { objectResponse } from '../respond.ts';
import type { Collection, StoredItem } from '../services.ts';

/** What a handler over a collection shows. */
export interface Listing {
  /** In messages: `project`, `run`. */
  readonly kind: string;
  readonly newestFirst: boolean;
  /** Members that a query parameter of the same name compares. */
  readonly filters: readonly string[];
}

/** Objects read from the collection at a time, and looked at for one page of v2 and one of v1. */
const batch = 500;
const mostLookedAt = { 1: 200_000, 2: 5_000 } as const;

export function list(collection: Collection, { kind, newestFirst, filters }: Listing): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const wanted = filterOf(request, filters);
    const items: JsonObject[] = [];
    let skipped = 0;
    let at = after;
    let lookedAt = 0;
    while (lookedAt < mostLookedAt[request.version]) {
      const found = await collection.list({ limit: batch, reverse: newestFirst, ...(at === undefined ? {} : { after: at }) });
      for (const { id, value } of found) {
        if (items.length === limit) return pageResponse(request, items, at);
        at = id;
        if (!wanted(value)) continue;
        if (skipped < offset) skipped += 1;
        else items.push(value);
      }
      lookedAt += found.length;
      if (found.length < batch) return pageResponse(request, items, undefined);
      request.signal.throwIfAborted();
    }
    if (request.version === 2) return pageResponse(request, items, at);
    throw new LokiError('request.large', {
      attempted: `list every ${kind}`, found: `more than ${mostLookedAt[1]} had to be looked at`, hint: 'Use /api/v2, which goes on from a cursor',
    });
  };
}

export function one(collection: Collection, kind: string): Handler {
  return async (request) => {
    const { value, revision } = await find(collection, kind, request.params.get('id') ?? '');
    return objectResponse(value, revision, request.headers.get('if-none-match'));
  };
}

/** Throws `not_found`. */
export async function find(collection: Collection, kind: string, id: string): Promise<StoredItem> {
  const item = await collection.get(id);
  if (item !== undefined) return item;
  throw new LokiError('not_found', { attempted: `find the ${kind}`, found: `there is no ${kind} "${id}"` });
}

function filterOf(request: ApiRequest, filters: readonly string[]): (value: JsonObject) => boolean {
  const wanted = filters.flatMap((name) => {
    const value = request.query.get(name);
    return value === undefined ? [] : [{ name, value }];
  });
  return (value) => wanted.every((filter) => value[filter.name] === filter.value);
}
