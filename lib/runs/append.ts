/**
 * Events that a run's own process reports. They are appended at the end of the timeline beside those of the runner, each in a
 * place of its own, marked as what they are: its word. They are redacted as everything that is kept, and they change nothing
 * about the run.
 */
import type { Clock, Random } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { newId } from '../base/ids.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { Store } from '../store/store.ts';
import { progressOf, readRun } from './progress.ts';
import { runKeys, type Phase, type RunEvent, type RunEventType } from './run.ts';
import { hasEnded } from './state.ts';
import { readTail, tailValue } from './tail.ts';

export interface ReportedEvent {
  readonly event_type: RunEventType;
  /** The phase the run is in when left out. */
  readonly phase?: Phase | null;
  readonly details: JsonObject;
}

export interface AppendDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** Takes secrets out of text. */
  readonly redact: (text: string) => string;
}

/** Bounds of a report: bytes of one event's details as JSON, events at a time, and in the whole timeline. */
export const reportLimits: Readonly<Record<'bytes' | 'events' | 'timeline', number>> = { bytes: 16 * 1024, events: 50, timeline: 50_000 };

/** The runner writes in batches; nobody loses against it this often in a row. */
const mostConflicts = 50;

/** The events in their places. Durable when it resolves. Throws `not_found`, and `conflict` for a run that has ended. */
export async function appendEvents(deps: AppendDeps, runId: string, reported: readonly ReportedEvent[]): Promise<readonly RunEvent[]> {
  const attempted = `append to the timeline of run ${runId}`;
  if (reported.length === 0 || reported.length > reportLimits.events) throw new LokiError('request.invalid', { attempted, found: `${reported.length} events, 1 to ${reportLimits.events} are taken at a time` });
  let kept: readonly ReportedEvent[] | undefined;
  for (let tries = 0; tries < mostConflicts; tries += 1) {
    // The end before the run: a run that ends in between moves its end, and what is asked for is refused on the next look.
    const end = await deps.store.get(runKeys.tail(runId));
    const entry = await deps.store.get(runKeys.run(runId));
    if (entry === undefined) throw new LokiError('not_found', { attempted, found: 'there is no such run' });
    const run = readRun(entry.value);
    if (hasEnded(run.status)) throw new LokiError('conflict', { attempted, found: `it is ${run.status}`, hint: 'A run that has ended takes no more events' });
    const { phase, last_seq, last_time } = progressOf(run);
    const tail = end === undefined ? { seq: last_seq, time: last_time } : readTail(end.value);
    if (tail.seq + reported.length > reportLimits.timeline) throw new LokiError('request.large', { attempted, found: `it has ${tail.seq} events; a timeline takes ${reportLimits.timeline} with reported ones` });
    // Looking for secrets costs more than all the rest: not for what is refused anyway, and once.
    kept ??= reported.map((event) => ({ ...event, details: keptDetails(event.details, deps.redact, attempted) }));
    const events = placed(deps, kept, tail, phase);
    const outcome = await deps.store.transact([{ key: runKeys.tail(runId), revision: end?.revision ?? 0 }], [
      ...events.map((event) => ({ key: runKeys.event(runId, event.seq), value: { ...event } })),
      { key: runKeys.tail(runId), value: tailValue({ seq: tail.seq + events.length, time: events.at(-1)?.timestamp ?? tail.time }) },
    ]);
    if (outcome.committed) return events;
  }
  throw new LokiError('conflict', { attempted, found: 'the run writes all the while', hint: 'Try again' });
}

function placed({ clock, random }: AppendDeps, reported: readonly ReportedEvent[], tail: { readonly seq: number; readonly time: string | null }, phase: Phase | null): readonly RunEvent[] {
  const now = new Date(clock.now()).toISOString();
  const timestamp = tail.time !== null && tail.time > now ? tail.time : now;
  return reported.map((event, at) => ({
    id: newId('event', Date.parse(timestamp), random.bytes(10)), seq: tail.seq + at + 1, event_type: event.event_type,
    phase: event.phase === undefined ? phase : event.phase, details: event.details, timestamp,
  }));
}

/** Whose word it is stands in the details, whatever the process wrote there itself. */
function keptDetails(details: JsonObject, redact: (text: string) => string, attempted: string): JsonObject {
  const bytes = new TextEncoder().encode(JSON.stringify(details)).length;
  if (bytes > reportLimits.bytes) throw new LokiError('request.large', { attempted, found: `the details of an event have ${bytes} bytes, at most ${reportLimits.bytes} are kept` });
  return { ...redactedObject(details, redact), reported_by: 'run' };
}

function redactedObject(object: JsonObject, redact: (text: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [redact(name), redacted(value, redact)]));
}

function redacted(value: JsonValue, redact: (text: string) => string): JsonValue {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((one: JsonValue) => redacted(one, redact));
  return isObject(value) ? redactedObject(value, redact) : value;
}

function isObject(value: JsonValue): value is JsonObject {
  return isPlainObject(value);
}
