/**
 * Objects as they change, for whoever shows them: runs, tasks, approvals and projects of a tenant, or of everybody for the
 * installation's administrators. Ids are revisions of the store, marked with whose stream they were given out on: one of
 * another tenant's stream is refused, and none can be made up.
 */
import { LokiError } from '../../errors.ts';
import { isPlainObject, type JsonValue } from '../../base/json.ts';
import { sseEvent } from '../../formats/sse.ts';
import type { Store, StoreNotice } from '../../store/store.ts';
import { ownerOf, tenantPrefix } from '../../store/tenant-view.ts';
import type { ApiRequest, Handler, Row } from '../message.ts';
import { plainText } from '../query.ts';
import type { Services } from '../services.ts';
import type { Streams } from '../streams.ts';

/** Kinds that are told of: the first segment of their keys, and what the event is called. */
const told: Readonly<Record<string, string>> = { runs: 'run', tasks: 'task', approvals: 'approval', projects: 'project' };

export function changeRows(services: Services, streams: Streams): readonly Row[] {
  return [{
    method: 'GET', path: '/events', operation: 'events.stream', summary: 'Runs, tasks, approvals and projects as they change', scope: 'read', query: { after: plainText(64) }, rate: 'exempt',
    answer: { status: 200, about: 'An event stream', media: 'text/event-stream' }, handle: changes(services, streams),
  }];
}

function changes({ timers }: Pick<Services, 'timers'>, streams: Streams): Handler {
  return async (request) => {
    const { store, principal: { tenant }, cursors } = request;
    const bound = `loki changes ${tenant ?? '-'}`;
    const mark = (revision: number): string => cursors.mark(revision, bound);
    const newest = await store.revision();
    const from = positionOf(request, bound) ?? newest;
    if (from > newest) throw new LokiError('gone', { attempted: `go on after revision ${from}`, found: `the newest is ${newest}` });
    if (from < newest) await checkKept(store, timers, from);
    return streams.open(request, (signal) => frames({ store, prefix: tenantPrefix(tenant), from, mark }, signal));
  };
}

/** Where the reader was: from `Last-Event-ID`, else from `after`; undefined for one that begins. */
function positionOf({ headers, query, cursors }: ApiRequest, bound: string): number | undefined {
  const text = headers.get('last-event-id') ?? query.get('after');
  if (text === undefined) return undefined;
  const position = cursors.marked(text, bound);
  if (position === undefined) throw new LokiError('request.invalid', { attempted: 'go on with the stream', found: 'Last-Event-ID is not one that this stream gave out', hint: 'Begin again without an id' });
  return position;
}

const lookMs = 20;

/** Throws `gone` before the answer begins, so that the client sees 410 and not a stream that ends at once. */
async function checkKept(store: Store, timers: Services['timers'], from: number): Promise<void> {
  const probe = new AbortController();
  const first = store.watch('', from, probe.signal)[Symbol.asyncIterator]().next();
  try {
    await Promise.race([first, timers.sleep(lookMs)]);
  } finally {
    probe.abort();
    first.catch(() => undefined);
  }
}

interface Watching {
  readonly store: Store;
  readonly prefix: string;
  readonly from: number;
  readonly mark: (revision: number) => string;
}

async function* frames({ store, prefix, from, mark }: Watching, signal: AbortSignal): AsyncGenerator<string> {
  try {
    yield sseEvent({ event: 'ready', id: mark(from), data: '{}' });
    for await (const notices of store.watch(prefix, from, signal)) {
      const shown = notices.flatMap(shownIn);
      // Only the last change of a transaction carries the revision as id: one that is cut in the middle comes again whole.
      for (const [at, { event, data, revision }] of shown.entries()) yield sseEvent(at === shown.length - 1 ? { event, id: mark(revision), data } : { event, data });
    }
  } catch (error) {
    if (!(error instanceof LokiError) || error.code !== 'gone') throw error;
    yield sseEvent({ event: 'gone', data: '{}' });
  }
}

/** What is told of a change; nothing of what is kept for the control plane's own use. */
function shownIn({ key, value, revision }: StoreNotice): readonly { readonly event: string; readonly data: string; readonly revision: number }[] {
  const [kind = '', id, ...more] = ownerOf(key).key.split('/');
  const event = Object.hasOwn(told, kind) && more.length === 0 ? told[kind] : undefined;
  if (event === undefined || id === undefined) return [];
  if (value === undefined) return [{ event: 'removed', data: JSON.stringify({ kind: event, id }), revision }];
  const object = kind === 'approvals' ? shownApproval(value) : value;
  return object === undefined ? [] : [{ event, data: JSON.stringify(object), revision }];
}

/** An approval is shown once what happened to it is on record. */
function shownApproval(value: JsonValue): JsonValue | undefined {
  const shown = isPlainObject(value) ? value['shown'] : undefined;
  return isPlainObject(shown) ? shown as JsonValue : undefined;
}
