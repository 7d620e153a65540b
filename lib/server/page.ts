/**
 * Pages of a list. v1: a bare array with `limit` and `offset`. v2: `{data, next_cursor}` with `limit` and `cursor`. A cursor
 * is sealed under a key of this installation: it says where to go on, and for whom, which list and which filter it was given out.
 * With another tenant, list or filter, cut short or made up, it is refused; it carries no permission.
 */
import { LokiError } from '../errors.ts';
import { hmacSha256Hex, nonceBytes, seal, unseal } from '../base/cipher.ts';
import { secretsEqual } from '../base/digest.ts';
import type { Random } from '../ports.ts';
import type { ApiRequest, ApiResponse } from './message.ts';
import { plainText, wholeNumber, type QueryRules } from './query.ts';
import { jsonText } from './respond.ts';

export const mostItems = 1000;
const mostOffset = 100_000;

/** Parameters of every list in one presentation. */
export function pageRules(version: 1 | 2): QueryRules {
  const limit = wholeNumber(1, mostItems);
  return version === 1 ? { limit, offset: wholeNumber(0, mostOffset) } : { limit, cursor: plainText(512) };
}

/** Seals and opens positions. */
export interface Cursors {
  /** `bound`: what the cursor belongs to. */
  make(position: string, bound: string): string;
  /** Undefined for what was not made here for this. */
  open(cursor: string, bound: string): string | undefined;
  /** A number as an id that was given out here for this; short, and not hidden. */
  mark(position: number, bound: string): string;
  marked(text: string, bound: string): number | undefined;
}

/** `key`: 32 bytes that this installation alone has. */
export function createCursors(key: Uint8Array, random: Random): Cursors {
  // One key for one use: what is sealed and what is marked do not share theirs.
  const marking = Buffer.from(hmacSha256Hex(key, 'loki marks'), 'hex');
  const mark = (position: number, bound: string): string => `${position}.${hmacSha256Hex(marking, `${bound}\n${position}`).slice(0, 16)}`;
  return {
    mark,
    marked(text, bound) {
      const [, digits] = /^(\d{1,15})\.[0-9a-f]{16}$/.exec(text) ?? [];
      return digits !== undefined && secretsEqual(text, mark(Number(digits), bound)) ? Number(digits) : undefined;
    },
    make(position, bound) {
      const nonce = random.bytes(nonceBytes);
      return Buffer.concat([nonce, seal(key, nonce, position, bound)]).toString('base64url');
    },
    open(cursor, bound) {
      if (!/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined;
      const bytes = Buffer.from(cursor, 'base64url');
      // Another spelling of the same bytes was not given out either.
      if (bytes.length <= nonceBytes || bytes.toString('base64url') !== cursor) return undefined;
      const position = unseal(key, bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes), bound);
      return position === undefined ? undefined : Buffer.from(position).toString('utf8');
    },
  };
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
    after: cursor === undefined ? undefined : opened(request, cursor),
  };
}

/** `next` is the position to go on from; undefined at the end of the list. */
export function pageResponse(request: ApiRequest, items: readonly unknown[], next: string | undefined): ApiResponse {
  return pageOfTexts(request, items.map((item) => JSON.stringify(item)), next);
}

/** As `pageResponse`, of items that are JSON text already. */
export function pageOfTexts(request: ApiRequest, items: readonly string[], next: string | undefined): ApiResponse {
  const data = `[${items.join(',')}]`;
  if (request.version === 1) return jsonText(data);
  return jsonText(`{"data":${data},"next_cursor":${next === undefined ? 'null' : JSON.stringify(request.cursors.make(next, listOf(request)))}}`);
}

/** What a cursor belongs to: whose view it is, the path and every filter. */
function listOf({ principal: { tenant }, path, query }: ApiRequest): string {
  const filters = [...query].filter(([name]) => name !== 'cursor' && name !== 'limit').sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(['loki cursor', tenant, path, filters]);
}

function opened(request: ApiRequest, cursor: string): string {
  const position = request.cursors.open(cursor, listOf(request));
  if (position !== undefined) return position;
  throw new LokiError('request.invalid', {
    attempted: 'go on with the list', found: 'the cursor was not given out for this list and filter',
    hint: 'Start again without a cursor, and keep the filters the same from page to page',
  });
}
