/**
 * The timeline of a run: all of it at once, and as a stream that goes on from where a reader was. A stream reads what is
 * stored first and watches from the revision before that, so nothing falls between; sequence numbers drop what comes twice.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { sseEvent } from '../../formats/sse.ts';
import { runKeys, runStatuses } from '../../runs/run.ts';
import type { Store, StoreNotice } from '../../store/store.ts';
import { ownerOf, tenantView } from '../../store/tenant-view.ts';
import type { ApiRequest, Handler, Row } from '../message.ts';
import { requireObject } from '../objects.ts';
import { idOf, oneOf, plainText, wholeNumber, type QueryRules } from '../query.ts';
import { createRunFeeds, eventsAfter, seqOf } from '../run-feed.ts';
import { jsonResponse } from '../respond.ts';
import type { Services } from '../services.ts';
import * as shapes from '../shapes.ts';
import type { Streams } from '../streams.ts';
import { list, one, timeRules } from './collections.ts';
import { orderRows } from './run-orders.ts';

/** A timeline longer than this is read as a stream. */
const longestTimeline = 50_000;

const over: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);

const after: QueryRules = { after: wholeNumber(0, Number.MAX_SAFE_INTEGER) };
const afterChange: QueryRules = { after: plainText(512) };
const streamed = { status: 200, about: 'An event stream', media: 'text/event-stream' } as const;

export function runRows(services: Services, streams: Streams): readonly Row[] {
  const params = { id: 'run' } as const;
  return [
    {
      method: 'GET', path: '/runs', operation: 'runs.list', summary: 'Runs, the newest first', scope: 'read', paged: true, query: { project_id: idOf('project'), status: oneOf(runStatuses), ...timeRules },
      answer: { status: 200, about: 'Runs', shape: shapes.run }, handle: list({ kind: 'run', newestFirst: true }),
    },
    { method: 'GET', path: '/runs/:id', operation: 'runs.get', summary: 'One run', scope: 'read', params, answer: { status: 200, about: 'The run', shape: shapes.run }, handle: one('run') },
    { method: 'GET', path: '/runs/:id/timeline', operation: 'runs.timeline', summary: 'What happened in a run', scope: 'read', params, answer: { status: 200, about: 'The timeline', shape: shapes.timeline }, handle: timeline(services) },
    { method: 'GET', path: '/runs/:id/events', operation: 'runs.events', summary: 'What happens in a run, from the beginning and then live', scope: 'read', params, query: after, rate: 'exempt', answer: streamed, handle: events(services, streams) },
    { method: 'GET', path: '/events', operation: 'events.stream', summary: 'Every run as it changes', scope: 'read', query: afterChange, rate: 'exempt', answer: streamed, handle: runChanges(services, streams) },
    ...orderRows(services),
  ];
}

function timeline({ clock }: Pick<Services, 'clock'>): Handler {
  return async (request) => {
    const id = request.params.get('id') ?? '';
    const { tenant, value: run } = await requireObject(request, 'run', id);
    const store = tenantView(request.store, tenant);
    const events: JsonValue[] = [];
    for await (const value of eventsAfter(store, id, 0)) {
      events.push(value);
      if (events.length > longestTimeline) {
        throw new LokiError('request.large', {
          attempted: 'read the timeline', found: `it has more than ${longestTimeline} events`, hint: 'Read it as a stream: GET …/events',
        });
      }
    }
    return jsonResponse({ run_id: id, events, duration_seconds: durationOf(run, clock.now()) });
  };
}

/** Seconds from start to end, or to now; null before the start. */
function durationOf(run: JsonObject, now: number): number | null {
  const started = timeOf(run['started_at']);
  if (started === undefined) return null;
  return Math.max(0, (timeOf(run['ended_at']) ?? now) - started) / 1000;
}

function timeOf(value: JsonValue | undefined): number | undefined {
  const milliseconds = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

/** Many read one run: what they are told is made once, for all of them. */
function events({ store: whole }: Pick<Services, 'store'>, streams: Streams): Handler {
  const feeds = createRunFeeds(whole);
  return async (request) => {
    const id = request.params.get('id') ?? '';
    const { tenant, value: run } = await requireObject(request, 'run', id);
    const store = tenantView(request.store, tenant);
    const after = readCursor(request);
    const { oldest, newest } = await extent(store, id);
    if (after > newest || (after > 0 && after + 1 < oldest)) {
      throw new LokiError('gone', { attempted: `go on after event ${after}`, found: newest === 0 ? 'the run has no events' : `the run keeps events ${oldest} to ${newest}` });
    }
    // 204 is what tells a browser to stop connecting again.
    if (after > 0 && after === newest && over.has(run['status'])) return { status: 204, headers: {} };
    return streams.open(request, (signal) => feeds.follow(store, id, after, signal));
  };
}

/** Sequence number to go on after: from `Last-Event-ID`, else from `after`, else 0. */
export function readCursor(request: ApiRequest): number {
  return numberIn(placeNamed(request) ?? '0');
}

/** Where a reader says that it was. */
function placeNamed({ headers, query }: ApiRequest): string | undefined {
  return headers.get('last-event-id') ?? query.get('after');
}

function numberIn(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new LokiError('request.invalid', { attempted: 'go on with the stream', found: 'Last-Event-ID is not one that this stream gave out' });
}

async function extent(store: Store, id: string): Promise<{ readonly oldest: number; readonly newest: number }> {
  const [first] = await store.list(runKeys.events(id), { limit: 1 });
  const [last] = await store.list(runKeys.events(id), { limit: 1, reverse: true });
  return { oldest: seqOf(first?.value), newest: seqOf(last?.value) };
}

/** Places in the stream of changes, as they are told and read back. */
interface Places {
  told(revision: number): string;
  named(text: string): number;
}

/**
 * A place is a revision of the store, which counts what happens to everybody. Administrators of the installation see it as it
 * is; to a tenant's principals it is sealed, for their tenant, so that it tells nothing of others and means nothing there.
 */
function placesOf({ cursors, principal: { tenant } }: ApiRequest): Places {
  if (tenant === null) return { told: String, named: numberIn };
  const bound = JSON.stringify(['loki changes', tenant]);
  return { told: (revision) => cursors.make(String(revision), bound), named: (text) => numberIn(cursors.open(text, bound) ?? '') };
}

/** Every run as it changes: a reader that comes back gets each change it missed. */
function runChanges({ timers }: Pick<Services, 'timers'>, streams: Streams): Handler {
  return async (request) => {
    const store = seenBy(request);
    const newest = await store.revision();
    const places = placesOf(request);
    const named = placeNamed(request);
    const from = named === undefined ? newest : places.named(named);
    if (from > newest) throw new LokiError('gone', { attempted: 'go on with the changes', found: 'the place that is named has not come yet' });
    if (from < newest) await checkKept(store, timers, from);
    return streams.open(request, (signal) => changeFrames(store, places, from, signal));
  };
}

/** What a principal watches: its tenant's runs; for administrators of the installation those of everybody. */
function seenBy({ store, principal: { tenant } }: ApiRequest): Store {
  if (tenant !== null) return tenantView(store, tenant);
  return {
    ...tenantView(store, null), revision: () => store.revision(),
    async *watch(prefix, from, signal) {
      for await (const notices of store.watch('', from, signal)) {
        const wanted = notices.map((notice) => ({ ...notice, key: ownerOf(notice.key).key })).filter(({ key }) => key.startsWith(prefix));
        if (wanted.length > 0) yield wanted;
      }
    },
  };
}

/** Throws `gone` before the answer begins, so that the client sees 410 and not a stream that ends at once. */
async function checkKept(store: Store, timers: Services['timers'], from: number): Promise<void> {
  const probe = new AbortController();
  const watch = store.watch(runKeys.runs, from, probe.signal)[Symbol.asyncIterator]();
  const first = watch.next();
  try {
    await Promise.race([first, timers.sleep(20)]);
  } finally {
    probe.abort();
    first.catch(() => undefined);
  }
}

async function* changeFrames(store: Store, { told }: Places, from: number, signal: AbortSignal): AsyncGenerator<string> {
  try {
    yield sseEvent({ event: 'ready', id: told(from), data: '{}' });
    for await (const notices of store.watch(runKeys.runs, from, signal)) yield* notices.map((notice, at) => changeFrame(notice, at === notices.length - 1 ? told(notice.revision) : undefined));
  } catch (error) {
    if (!(error instanceof LokiError) || error.code !== 'gone') throw error;
    yield sseEvent({ event: 'gone', data: '{}' });
  }
}

/** Only the last change of a transaction carries the revision as id: one that is cut in the middle comes again whole. */
function changeFrame({ key, value }: StoreNotice, id: string | undefined): string {
  const data = JSON.stringify(value ?? { id: key.slice(runKeys.runs.length) });
  const event = value === undefined ? 'removed' : 'run';
  return sseEvent(id === undefined ? { event, data } : { event, id, data });
}
