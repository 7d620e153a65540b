/**
 * The timeline of a run: all of it at once, and as a stream that goes on from where a reader was. A stream reads what is
 * stored first and watches from the revision before that, so nothing falls between; sequence numbers drop what comes twice.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { runKeys, runStatuses } from '../../runs/run.ts';
import type { Store } from '../../store/store.ts';
import { tenantView } from '../../store/tenant-view.ts';
import type { ApiRequest, Handler, Row } from '../message.ts';
import { requireObject } from '../objects.ts';
import { idOf, oneOf, wholeNumber, type QueryRules } from '../query.ts';
import { createRunFeeds, eventsAfter, seqOf } from '../run-feed.ts';
import type { Services } from '../services.ts';
import * as shapes from '../shapes.ts';
import type { Streams } from '../streams.ts';
import { list, one, timeRules } from './collections.ts';
import { orderRows } from './run-orders.ts';

/** A timeline longer than this is read as a stream: what is answered at once is held as a whole. */
const longest = { events: 50_000, bytes: 32 << 20 } as const;

const over: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);

const after: QueryRules = { after: wholeNumber(0, Number.MAX_SAFE_INTEGER) };
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
    { method: 'GET', path: '/runs/:id/events', operation: 'runs.events', summary: 'What happens in a run, from the beginning and then live', scope: 'read', params, query: after, rate: 'exempt', answer: { ...streamed, also: [{ status: 204, about: 'The run is over, and the reader has all of it' }] }, handle: events(services, streams) },
    ...orderRows(services),
  ];
}

function timeline({ clock }: Pick<Services, 'clock'>): Handler {
  return async (request) => {
    const id = request.params.get('id') ?? '';
    const { tenant, value: run } = await requireObject(request, 'run', id);
    const store = tenantView(request.store, tenant);
    const events: string[] = [];
    let bytes = 0;
    for await (const value of eventsAfter(store, id, 0)) {
      const text = JSON.stringify(value);
      bytes += text.length;
      events.push(text);
      if (events.length <= longest.events && bytes <= longest.bytes) continue;
      throw new LokiError('request.large', { attempted: 'read the timeline', found: `it has more than ${longest.events} events or ${longest.bytes} bytes`, hint: 'Read it as a stream: GET …/events' });
    }
    const duration = durationOf(run, clock.now());
    return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: `{"run_id":"${id}","events":[${events.join(',')}],"duration_seconds":${JSON.stringify(duration)}}` };
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
function readCursor(request: ApiRequest): number {
  const text = request.headers.get('last-event-id') ?? request.query.get('after') ?? '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new LokiError('request.invalid', { attempted: 'go on with the stream', found: 'Last-Event-ID is not one that this stream gave out' });
}

async function extent(store: Store, id: string): Promise<{ readonly oldest: number; readonly newest: number }> {
  const [first] = await store.list(runKeys.events(id), { limit: 1 });
  const [last] = await store.list(runKeys.events(id), { limit: 1, reverse: true });
  return { oldest: seqOf(first?.value), newest: seqOf(last?.value) };
}
