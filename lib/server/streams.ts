/**
 * Open event streams: how many there may be, and how they end. A stream ends when its client goes, when its source ends, or
 * when the server drains; whichever it is, everything the stream waits on is let go.
 */
import { LokiError } from '../errors.ts';
import type { Timers } from '../ports.ts';
import { sseComment, sseEvent, sseRetry } from '../formats/sse.ts';
import { merge } from './merge.ts';
import type { ApiRequest, ApiResponse } from './message.ts';
import { callerOf } from './rate-limit.ts';

/** How many streams are open at once, in all and for one caller; how often a quiet one says that it lives. */
export interface StreamLimits {
  readonly all: number;
  readonly perCaller: number;
  readonly heartbeatMs: number;
}

export const usualStreamLimits: StreamLimits = { all: 2048, perCaller: 64, heartbeatMs: 15_000 };

/** Makes the parts of one stream. Ends when `signal` aborts. */
export type StreamSource = (signal: AbortSignal) => AsyncIterable<string>;

export interface Streams {
  /** The answer that streams a source. Throws `rate_limited` when there are too many; counts from now until the stream ends. */
  open(request: ApiRequest, source: StreamSource): ApiResponse;
  /** How many are open. */
  count(): number;
  /** Tells every reader to come back later, and ends every stream. */
  drain(): void;
}

const reconnectMs = 2000;

/** `failed` hears of a source that threw; its stream is cut, so that its reader comes back. */
export function createStreams(
  timers: Timers, limits: StreamLimits = usualStreamLimits, failed: (error: unknown, requestId: string) => void = () => undefined,
): Streams {
  const open = new Map<AbortController, string>();
  let draining = false;

  function admit(request: ApiRequest): AbortController {
    const caller = request.principal.anonymous ? callerOf(request.address) : request.principal.actor;
    const own = [...open.values()].filter((one) => one === caller).length;
    if (draining) throw new LokiError('interrupted', { attempted: 'open an event stream', found: 'the control plane is stopping' });
    if (open.size >= limits.all || own >= limits.perCaller) {
      throw new LokiError('rate_limited', {
        attempted: 'open an event stream', found: `${open.size} are open, ${own} of them yours; the limits are ${limits.all} and ${limits.perCaller}`,
        hint: 'Close streams that are not needed, or try again later',
      });
    }
    const control = new AbortController();
    open.set(control, caller);
    return control;
  }

  async function* parts(control: AbortController, requestId: string, source: StreamSource): AsyncGenerator<string> {
    try {
      yield sseRetry(reconnectMs);
      yield* withHeartbeat(source(control.signal), timers, limits.heartbeatMs);
      if (draining) yield sseEvent({ event: 'bye', data: '{}' });
    } catch (error) {
      if (!control.signal.aborted) failed(error, requestId);
      throw error;
    } finally {
      control.abort();
      open.delete(control);
    }
  }

  return {
    open(request, source) {
      const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' };
      if (request.method === 'HEAD') return { status: 200, headers };
      const control = admit(request);
      // A stream whose client goes before it is read from never comes to its own end.
      const forget = (): void => {
        open.delete(control);
        control.abort();
      };
      if (request.signal.aborted) forget();
      else request.signal.addEventListener('abort', forget, { once: true });
      return { status: 200, headers, stream: parts(control, request.requestId, source) };
    },
    count: () => open.size,
    drain() {
      draining = true;
      for (const control of open.keys()) control.abort();
    },
  };
}

/** The parts of a source, and a comment whenever it has been quiet for a while. At most one part is held. */
async function* withHeartbeat(source: AsyncIterable<string>, timers: Timers, quietMs: number): AsyncGenerator<string> {
  const beat = beats(timers, quietMs);
  let spoke = false;
  try {
    for await (const part of merge<string | undefined>([source, beat.ticks])) {
      if (part !== undefined) {
        spoke = true;
        yield part;
      } else {
        if (!spoke) yield sseComment('still here');
        spoke = false;
      }
    }
  } finally {
    beat.stop();
  }
}

/** Nothing, again and again, until stopped. */
function beats(timers: Timers, everyMs: number): { readonly ticks: AsyncIterable<undefined>; readonly stop: () => void } {
  let wake = (): void => undefined;
  let stopped = false;
  const cancel = timers.every(everyMs, () => wake());
  async function* ticks(): AsyncGenerator<undefined> {
    for (;;) {
      await new Promise<void>((resolve) => { wake = resolve; });
      if (stopped) return;
      yield undefined;
    }
  }
  const stop = (): void => {
    stopped = true;
    cancel();
    wake();
  };
  return { ticks: ticks(), stop };
}
