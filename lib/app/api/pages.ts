/** Lists of the API, page after page, by their cursors. */
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import type { ApiAccess } from './access.ts';

const mostItems = 1000;

/** What is asked for. */
export interface ListQuestion {
  /** Below `/api/v2`. */
  readonly path: string;
  /** Filters, by their names in the API. */
  readonly query: Readonly<Record<string, string>>;
  readonly attempted: string;
  /** At most so many objects. */
  readonly limit: number;
}

export interface Listed {
  readonly objects: readonly JsonObject[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

/** Throws as `ApiAccess.ask`. */
export async function listAll(access: ApiAccess, { path, query, attempted, limit }: ListQuestion): Promise<Listed> {
  const objects: JsonObject[] = [];
  const seen = new Set<string>();
  for (let cursor: string | undefined; ;) {
    const parameters = new URLSearchParams({ ...query, limit: String(Math.min(mostItems, limit - objects.length)), ...(cursor === undefined ? {} : { cursor }) });
    const { object: { data, next_cursor: next } } = await access.ask({ method: 'GET', path: `${path}?${parameters.toString()}`, attempted });
    // A cursor that leads back would never end.
    const isOff = !Array.isArray(data) || !data.every(isPlainObject) || (typeof next !== 'string' && next !== null) || (typeof next === 'string' && seen.has(next));
    if (isOff) throw new LokiError('net.unreachable', { attempted, found: `${access.where} does not answer as a control plane does`, hint: 'Check the address, and the version there' });
    objects.push(...(data as readonly JsonObject[]));
    if (next === null) return { objects: objects.slice(0, limit), more: objects.length > limit };
    if (objects.length >= limit) return { objects: objects.slice(0, limit), more: true };
    seen.add(String(next));
    cursor = String(next);
  }
}
