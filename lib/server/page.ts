/**
 * Pages of a list. v1: a bare array with `limit` and `offset`. v2: `{data, next_cursor}` with `limit` and `cursor`. A cursor
 * is opaque, says where to go on and for which list and filter it was given out, and carries no permission: with another
 * filter, cut short or made up, it is refused.
 */
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import type { ApiRequest, ApiResponse } from './message.ts';
import { plainText, wholeNumber, type QueryRules } from './query.ts';
import { jsonResponse } from './respond.ts';

export const mostItems = 1000;
const mostOffset = 100_000;

/** Parameters of every list in one presentation. */
export function pageRules(version: 1 | 2): QueryRules {
  const limit = wholeNumber(1, mostItems);
  return version === 1 ? { limit, offset: wholeNumber(0, mostOffset) } : { limit, cursor: plainText(512) };
}

/** What part of a list is asked for. `after` is the position where the last page ended. */
export interface PageRequest {
  readonly limit: number;
  readonly offset: number;
  readonly after: string | undefined;
}

export function pageRequest(request: ApiRequest): PageRequest {
  const cursor = request.query.get('cursor');
  return {
    limit: Number(request.query.get('limit') ?? (request.version === 1 ? 100 : 50)),
    offset: Number(request.query.get('offset') ?? 0),
    after: cursor === undefined ? undefined : openCursor(cursor, listOf(request)),
  };
}

/** `next` is the position to go on from; undefined at the end of the list. */
export function pageResponse(request: ApiRequest, items: readonly unknown[], next: string | undefined): ApiResponse {
  if (request.version === 1) return jsonResponse(items);
  return jsonResponse({ data: items, next_cursor: next === undefined ? null : makeCursor(next, listOf(request)) });
}

/** What a cursor belongs to: the path and every filter. */
function listOf(request: ApiRequest): string {
  const filters = [...request.query].filter(([name]) => name !== 'cursor' && name !== 'limit').sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([request.path, filters]);
}

const tagLength = 16;

function tagOf(position: string, list: string): string {
  return sha256Hex(`loki cursor\n${list}\n${position}`).slice(0, tagLength);
}

/** Positions are ids and numbers, URL-safe as they are; the tag keeps callers from making cursors of their own by accident. */
function makeCursor(position: string, list: string): string {
  return `${tagOf(position, list)}-${position}`;
}

function openCursor(cursor: string, list: string): string {
  const position = cursor.slice(tagLength + 1);
  if (/^[A-Za-z0-9_]{1,64}$/.test(position) && cursor === makeCursor(position, list)) return position;
  throw new LokiError('request.invalid', {
    attempted: 'go on with the list', found: 'the cursor was not given out for this list and filter',
    hint: 'Start again without a cursor, and keep the filters the same from page to page',
  });
}
