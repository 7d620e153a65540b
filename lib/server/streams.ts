/**
 * Open event streams: how many there may be, and how they end. A stream ends when its client goes, when its source ends, when
 * what let its client in does not count any more (looked at with each heartbeat), or when the server drains; whichever it is,
 * everything the stream waits on is let go.
 */
import { LokiError } from '../errors.ts';
import type { Cancel, Timers } from '../ports.ts';
import { sseComment, sseEvent, sseRetry } from '../formats/sse.ts';
import type { ApiRequest, ApiResponse } from './message.ts';
import { countedAs } from './rate-limit.ts';

/** How many streams are open at once, in all and for one caller; how often a quiet one says that it lives. */
export interface StreamLimits {
  readonly all: number;
  readonly perCaller: number;
  readonly heartbeatMs: number;
}

export const usualStreamLimits: StreamLimits = { all: 2048, perCaller: 64, heartbeatMs: 15_000 };

/** Makes the parts of one stream. Ends when `signal` aborts. */
export type StreamSource = (signal: AbortSignal) => AsyncIterable<string | Uint8Array>;

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
  const open = new Set<OpenStream>();
  const perCaller = new Map<string, number>();
  let draining = false;
  let stopBeating: Cancel = () => undefined;

  function admit(caller: string): void {
    const own = perCaller.get(caller) ?? 0;
    if (draining) throw new LokiError('interrupted', { attempted: 'open an event stream', found: 'the control plane is stopping' });
    if (open.size >= limits.all || own >= limits.perCaller) {
      throw new LokiError('rate_limited', {
        attempted: 'open an event stream', found: own >= limits.perCaller ? `${own} of yours are open, and no more are` : `all ${limits.all} places are taken`,
        hint: 'Close streams that are not needed, or try again later',
      });
    }
  }

  function enter(caller: string, stream: OpenStream): void {
    if (open.size === 0) stopBeating = timers.every(limits.heartbeatMs, () => { for (const one of open) one.beat(); });
    open.add(stream);
    perCaller.set(caller, (perCaller.get(caller) ?? 0) + 1);
  }

  function leave(caller: string, stream: OpenStream): void {
    if (!open.delete(stream)) return;
    const left = (perCaller.get(caller) ?? 1) - 1;
    if (left === 0) perCaller.delete(caller);
    else perCaller.set(caller, left);
    if (open.size === 0) stopBeating();
  }

  return {
    open(request, source) {
      const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' };
      if (request.method === 'HEAD') return { status: 200, headers };
      const caller = countedAs(request.principal, request.address);
      admit(caller);
      const stream: OpenStream = new OpenStream(source, { failed: (error) => failed(error, request.requestId), left: () => leave(caller, stream), stillAllowed: () => request.stillAllowed() });
      enter(caller, stream);
      // A stream whose client goes before it is read from never comes to its own end.
      if (request.signal.aborted) stream.end();
      else request.signal.addEventListener('abort', () => stream.end(), { once: true });
      return { status: 200, headers, stream };
    },
    count: () => open.size,
    drain() {
      draining = true;
      for (const stream of open) stream.end('bye');
    },
  };
}

interface StreamHears {
  failed(error: unknown): void;
  left(): void;
  /** Whether its reader may still read. */
  stillAllowed(): Promise<boolean>;
}

type Part = string | Uint8Array;

/** What the source gave last. */
type Arrived = { readonly result: IteratorResult<Part> } | { readonly error: unknown };

/**
 * One stream: the parts of its source, a comment whenever it has been quiet from one beat to the next, and a word of goodbye. One part
 * of the source is held, never more. An object and not a generator in generators: there are thousands, and each part passes through.
 */
class OpenStream implements AsyncIterableIterator<Part> {
  readonly #control = new AbortController();
  readonly #source: AsyncIterator<Part>;
  readonly #hears: StreamHears;
  #begun = false;
  #pulling = false;
  #arrived: Arrived | undefined;
  #reader: { readonly resolve: (result: IteratorResult<Part>) => void; readonly reject: (error: unknown) => void } | undefined;
  #spoke = true;
  #goodbye: 'bye' | undefined;
  #over = false;

  constructor(source: StreamSource, hears: StreamHears) {
    this.#hears = hears;
    this.#source = source(this.#control.signal)[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Part>> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    if (!this.#begun) {
      this.#begun = true;
      return Promise.resolve({ done: false, value: sseRetry(reconnectMs) });
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#pull();
      this.#give();
    });
  }

  /** Its reader has gone. */
  return(): Promise<IteratorResult<Part>> {
    this.end();
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Says that the stream lives, where nothing else has said so since the last time; and ends it where its reader may not read any more. */
  beat(): void {
    this.#hears.stillAllowed().then((is) => { if (!is) this.end('bye'); }, () => this.end('bye'));
    if (this.#spoke || this.#reader === undefined) this.#spoke = false;
    else this.#answer({ done: false, value: sseComment('still here') });
  }

  /** Lets go of what it waits for; the reader is told that it is over. */
  end(goodbye?: 'bye'): void {
    this.#goodbye ??= goodbye;
    if (!this.#control.signal.aborted) this.#control.abort();
    // Nobody reads yet, or any more: a source that was never asked has no end of its own.
    if (!this.#begun || goodbye === undefined) this.#hears.left();
  }

  #pull(): void {
    if (this.#pulling || this.#arrived !== undefined) return;
    this.#pulling = true;
    const put = (arrived: Arrived): void => {
      [this.#pulling, this.#arrived] = [false, arrived];
      this.#give();
    };
    this.#source.next().then((result) => put({ result }), (error: unknown) => put({ error }));
  }

  #give(): void {
    const [arrived, reader] = [this.#arrived, this.#reader];
    if (arrived === undefined || reader === undefined) return;
    this.#arrived = undefined;
    this.#spoke = true;
    if ('result' in arrived && arrived.result.done !== true) return this.#answer(arrived.result);
    const cut = this.#control.signal.aborted;
    this.#leave();
    if ('result' in arrived) return this.#answer(this.#goodbye === undefined ? { done: true, value: undefined } : { done: false, value: sseEvent({ event: 'bye', data: '{}' }) });
    if (!cut) this.#hears.failed(arrived.error);
    this.#reader = undefined;
    reader.reject(arrived.error);
  }

  #answer(result: IteratorResult<Part>): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(result);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hears.left();
    this.#control.abort();
    void this.#source.return?.().catch(() => undefined);
  }
}
