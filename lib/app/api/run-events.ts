/**
 * What happens in a run, from its beginning to its end, over a stream that may break off: it is opened again after the last event,
 * and each event is told once. Gives up only when nothing at all comes over several streams in a row.
 */
import { isPlainObject, objectIn, type JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import { readEvents, type ReadEvent } from '../../formats/sse-reader.ts';
import type { Timers } from '../../ports.ts';
import type { RunEvent, RunEventType } from '../../runs/run.ts';
import { runEventTypes } from '../../server/shapes.ts';
import type { ApiAccess } from './access.ts';

export interface RunWatch {
  readonly timers: Pick<Timers, 'sleep'>;
  readonly signal: AbortSignal;
  onEvent(event: RunEvent): void;
  /** Told when a stream broke off and another one is opened. */
  onBreak(found: string): void;
}

const mostBreaks = 6;
const longestWaitMs = 8_000;
const shortestWaitMs = 250;

/** The run as it last was, at its end or when the signal aborted. Throws as `ApiAccess.stream`. */
export async function watchRun(access: ApiAccess, runId: string, { timers, signal, onEvent, onBreak }: RunWatch): Promise<JsonObject | undefined> {
  const attempted = `watch the run ${runId}`;
  let run: JsonObject | undefined;
  // Where the next stream begins, and what has been told: they part when a run does not keep its oldest events.
  let [from, told, breaks] = [0, 0, 0];
  let hasBegun = false;
  while (!signal.aborted) {
    try {
      const stream = await access.stream(`/runs/${runId}/events`, from === 0 ? undefined : String(from), attempted);
      if (stream === undefined) break;
      hasBegun = true;
      for await (const read of readEvents(stream)) {
        breaks = 0;
        if (read.event === 'end') return run;
        if (read.event === 'bye') break;
        if (read.event === 'run') run = objectIn(read.data) ?? run;
        const event = read.event === 'message' ? eventOf(read) : undefined;
        if (event === undefined || event.seq <= told) continue;
        from = told = event.seq;
        onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof LokiError) || isFinal(error, from, hasBegun)) throw error;
      if (error.code === 'gone') from = 0;
    }
    if (signal.aborted) break;
    breaks += 1;
    if (breaks > mostBreaks) throw new LokiError('net.unreachable', { attempted, found: 'the stream breaks off again and again' });
    if (breaks === 2) onBreak('The stream broke off; it is opened again.');
    await timers.sleep(Math.min(longestWaitMs, shortestWaitMs * 2 ** (breaks - 1)));
  }
  return signal.aborted ? run : (await access.ask({ method: 'GET', path: `/runs/${runId}`, attempted })).object;
}

/** Whether it is of no use to open the stream again. */
function isFinal({ code }: LokiError, from: number, hasBegun: boolean): boolean {
  if (code === 'gone') return from === 0;
  return !hasBegun || (code !== 'net.unreachable' && code !== 'rate_limited');
}

const types: ReadonlySet<string> = new Set(runEventTypes);

/** Undefined for what this version does not know. */
function eventOf({ data }: ReadEvent): RunEvent | undefined {
  const value = objectIn(data);
  return value === undefined ? undefined : toRunEvent(value);
}

/** An event of a timeline, as far as it is told to a person; undefined for what is none. */
export function toRunEvent(value: JsonObject): RunEvent | undefined {
  const { seq, event_type: type, details, timestamp } = value;
  if (typeof seq !== 'number' || typeof type !== 'string' || !types.has(type) || !isPlainObject(details) || typeof timestamp !== 'string') return undefined;
  return { ...(value as unknown as RunEvent), event_type: type as RunEventType };
}
