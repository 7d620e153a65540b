/** Lists and single objects of the store: found as the principal may see them, shown, tagged, paged. */
import { LokiError } from '../../errors.ts';
import { idBounds, type IdKind } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { momentEnd, momentStart } from '../../base/moment.ts';
import type { ApiRequest, ApiResponse, Handler } from '../message.ts';
import { moment } from '../moment.ts';
import { listObjects, requireObject, tagOf, type Found, type Kind } from '../objects.ts';
import { pageOfTexts, pageRequest } from '../page.ts';
import { oneOf, type QueryRules } from '../query.ts';
import { jsonResponse, jsonText, matches } from '../respond.ts';

/** How an object is shown; itself when left out. */
export type Show = (found: Found) => JsonObject;

const asItIs: Show = ({ value }) => value;

/** Bounds of time and the order of a list, for kinds whose ids tell when they were made. */
export const timeRules: QueryRules = { start: moment, end: moment, order: oneOf(['asc', 'desc']) };

/** What a list is of, and how. */
export interface Listing {
  readonly kind: Kind & IdKind;
  readonly newestFirst: boolean;
  readonly show?: Show;
  /** Leaves objects out that the store has no index for. */
  readonly wanted?: (request: ApiRequest) => (found: Found) => boolean;
}

/** Objects looked at for one page where some are left out. */
const batch = 500;
const mostLookedAt = 20_000;

export function list({ kind, newestFirst, show = asItIs, wanted }: Listing): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const filter = filterOf(request);
    const reverse = request.query.has('order') ? request.query.get('order') === 'desc' : newestFirst;
    const fits = wanted?.(request);
    const items: string[] = [];
    let skipped = 0;
    let at = after;
    for (let lookedAt = 0; lookedAt < mostLookedAt + offset;) {
      const most = fits === undefined ? limit - items.length + (offset - skipped) + 1 : batch;
      const found = await listObjects(request, kind, filter, { limit: most, reverse, ...boundsOf(request, kind), ...(at === undefined ? {} : { after: at }) });
      for (const object of found) {
        if (items.length === limit) return pageOfTexts(request, items, at);
        at = idOf(object);
        if (fits?.(object) === false) continue;
        if (skipped < offset) skipped += 1;
        else items.push(madeOf(object, show).text);
      }
      if (found.length < most) return pageOfTexts(request, items, undefined);
      lookedAt += found.length;
      request.signal.throwIfAborted();
    }
    return pageOfTexts(request, items, at);
  };
}

function idOf({ key }: Found): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function filterOf({ query }: ApiRequest): { readonly project?: string; readonly status?: string } {
  const [project, status] = [query.get('project_id'), query.get('status')];
  return { ...(project === undefined ? {} : { project }), ...(status === undefined ? {} : { status }) };
}

const lastMoment = 2 ** 48 - 1;

function boundsOf({ query }: ApiRequest, kind: IdKind): { readonly from?: string; readonly to?: string } {
  if (!query.has('start') && !query.has('end')) return {};
  const [start, end] = [momentStart(query.get('start') ?? ''), momentEnd(query.get('end') ?? '')];
  // An id holds no time before the epoch.
  const within = (time: string | undefined, otherwise: number): number => (time === undefined ? otherwise : Math.min(lastMoment, Math.max(0, Date.parse(time))));
  const [from, to] = idBounds(kind, within(start, 0), within(end, lastMoment));
  return { from, to };
}

export function one(kind: Kind, show: Show = asItIs): Handler {
  return async (request) => shown(request, await requireObject(request, kind, request.params.get('id') ?? ''), show);
}

/** An object with its entity tag; 304 when the caller has it already. */
export function shown(request: ApiRequest, found: Found, show: Show = asItIs): ApiResponse {
  const made = madeOf(found, show);
  const tag = tagOfMade(found, made);
  const known = request.headers.get('if-none-match');
  if (known !== undefined && matches(known, tag)) return { status: 304, headers: { ETag: tag } };
  return jsonText(made.text, { ETag: tag });
}

/** The answer to a change: the object as it now is. */
export function answerWith(found: Pick<Found, 'key' | 'value'>, status: 200 | 201, show: Show = asItIs, location?: string): ApiResponse {
  const object = show({ ...found, tenant: null, revision: 0 });
  return jsonResponse(object, { ETag: tagOf(found.key, JSON.stringify(object)), ...(location === undefined ? {} : { Location: location }) }, status);
}

/** What was made of an object. The tag costs more than the text, and lists do not need it. */
interface Made {
  readonly text: string;
  tag?: string;
}

/** Values of the store are frozen and shared, so what was made of one is made once; so many characters are kept. */
const kept = new Map<JsonObject, Made>();
const mostKept = 8 * 1024 * 1024;
let keptLength = 0;

function madeOf(found: Found, show: Show): Made {
  if (show !== asItIs) return { text: JSON.stringify(show(found)) };
  const known = kept.get(found.value);
  if (known !== undefined) return known;
  const made: Made = { text: JSON.stringify(found.value) };
  keptLength += made.text.length;
  if (keptLength > mostKept) {
    kept.clear();
    keptLength = made.text.length;
  }
  kept.set(found.value, made);
  return made;
}

function tagOfMade({ key }: Found, made: Made): string {
  return (made.tag ??= tagOf(key, made.text));
}

/** Throws `request.stale` when the request names another state of the object than it is in. */
export function assertUnchanged(request: ApiRequest, found: Found, show: Show = asItIs): void {
  const wanted = request.headers.get('if-match');
  if (wanted === undefined) return;
  const tag = tagOfMade(found, madeOf(found, show));
  if (!wanted.split(',').some((each) => each.trim() === '*' || each.trim() === tag)) throw stale();
}

const mostTries = 20;

/**
 * Changes an object by compare-and-set: `next` gives its new value and the answer, and is asked again when somebody else was
 * faster, unless the request said which state it means to change. Gives the object before and after.
 */
export async function change(request: ApiRequest, kind: Kind, show: Show, next: (found: Found) => JsonObject | undefined | Promise<JsonObject | undefined>): Promise<{ readonly before: Found; readonly answer: ApiResponse; readonly after: JsonObject | undefined }> {
  const id = request.params.get('id') ?? '';
  for (let tries = 0; tries < mostTries; tries += 1) {
    const before = await requireObject(request, kind, id);
    assertUnchanged(request, before, show);
    const after = await next(before);
    const answer: ApiResponse = after === undefined ? { status: 204, headers: {} } : answerWith({ key: before.key, value: after }, 200, show);
    const outcome = await request.commit([{ key: before.key, revision: before.revision }], [{ key: before.key, value: after }], answer);
    if (outcome.committed) return { before, answer, after };
    if (request.headers.has('if-match')) throw stale();
  }
  throw new LokiError('conflict', { attempted: `change the ${kind}`, found: 'others change it all the time' });
}

function stale(): LokiError {
  return new LokiError('request.stale', { attempted: 'change the object', found: 'it is not in the state that If-Match names' });
}

/** What changed, from what to what. A long text is told by its length alone. */
export function changedMembers({ value }: Found, members: { readonly [name: string]: unknown }): JsonObject {
  const short = (member: unknown): unknown => (typeof member === 'string' && member.length > 200 ? `${member.length} characters` : member ?? null);
  const changed = Object.entries(members).filter(([name, to]) => JSON.stringify(value[name]) !== JSON.stringify(to));
  return { changed: Object.fromEntries(changed.map(([name, to]) => [name, { from: short(value[name]), to: short(to) }])) as JsonObject };
}

