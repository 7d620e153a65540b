/**
 * What happens in runs, told to many readers at once. One watch of the store serves all of them, and each event is made into
 * bytes once: a reader costs a place in a list. A reader gets what is stored first and then what comes; one that takes nothing
 * for a while loses its place and goes on from what is stored, so that a slow reader holds neither memory nor the others.
 */
import { LokiError } from '../errors.ts';
import { isPlainObject, type JsonValue } from '../base/json.ts';
import { sseEvent } from '../formats/sse.ts';
import { runKeys } from '../runs/run.ts';
import type { Store, StoreNotice } from '../store/store.ts';
import { ownerOf } from '../store/tenant-view.ts';

/** A part of a stream: an event of the timeline, or (without a number) the run as it now is. */
interface Frame {
  readonly seq: number | undefined;
  readonly bytes: Uint8Array;
  /** The run has ended: nothing follows. */
  readonly last: boolean;
}

export interface RunFeeds {
  /** The timeline of a run after an event, as parts of a stream, until it has ended or the signal aborts. `store` is the run's tenant's. */
  follow(store: Store, runId: string, after: number, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Readers that follow now. */
  readers(): number;
}

/** Events read from the store at a time. */
const batch = 200;
/** Frames that wait for a reader. They are shared: this bounds how far a reader may fall behind, more than memory. */
const mostWaiting = 512;

const over: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);
/** Keys of runs and their events, whatever tenant they are of. */
const runKey = /^(?:runs\/([^/]+)|run-events\/([^/]+)\/[^/]+)$/;

/** `root` is the whole store, of all tenants: run ids are unique, so a reader gets its own run's and nothing else. */
export function createRunFeeds(root: Store): RunFeeds {
  const hub = new Hub(root);
  return {
    follow: (store, runId, after, signal) => follow(hub, store, { runId, after }, signal),
    readers: () => hub.readers,
  };
}

/** Stored first, then what is told; again from the start of that whenever the reader has lost its place. */
async function* follow(hub: Hub, store: Store, { runId, after }: { readonly runId: string; readonly after: number }, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let last = after;
  const reader = await hub.enter(runId, signal);
  try {
    while (!signal.aborted) {
      reader.begin();
      for await (const frame of stored(store, runId, last)) {
        if (frame.seq !== undefined) last = frame.seq;
        yield frame.bytes;
        if (frame.last) return;
      }
      for (;;) {
        const frame = reader.take() ?? await reader.next();
        if (frame === 'lost') break;
        if (frame === 'ended') return;
        if (frame.seq !== undefined && frame.seq <= last) continue;
        if (frame.seq !== undefined) last = frame.seq;
        yield frame.bytes;
        if (frame.last) return;
      }
    }
  } finally {
    hub.leave(runId, reader);
  }
}

/** What the store has after an event, then the run; its events once more where it has ended, because it may have ended between the two reads. */
async function* stored(store: Store, runId: string, after: number): AsyncGenerator<Frame> {
  let last = after;
  async function* events(): AsyncGenerator<Frame> {
    for await (const value of eventsAfter(store, runId, last)) {
      last = seqOf(value);
      yield eventFrame(value);
    }
  }
  yield* events();
  const run = (await store.get(runKeys.run(runId)))?.value;
  if (!goesOn(run)) yield* events();
  yield* runFrames(run);
}

/** Events of a timeline after a place, oldest first. */
export async function* eventsAfter(store: Store, runId: string, seq: number): AsyncGenerator<JsonValue> {
  let after = seq === 0 ? undefined : runKeys.event(runId, seq);
  for (;;) {
    const found = await store.list(runKeys.events(runId), { limit: batch, ...(after === undefined ? {} : { after }) });
    for (const { value } of found) yield value;
    after = found.at(-1)?.key;
    if (found.length < batch) return;
  }
}

/** The place of an event in its timeline; 0 for what is none. */
export function seqOf(value: JsonValue | undefined): number {
  const seq = isPlainObject(value) ? value['seq'] : undefined;
  return typeof seq === 'number' ? seq : 0;
}

function goesOn(run: JsonValue | undefined): boolean {
  return isPlainObject(run) && !over.has(run['status']);
}

function eventFrame(value: JsonValue): Frame {
  const seq = seqOf(value);
  return { seq, bytes: Buffer.from(sseEvent({ id: String(seq), data: JSON.stringify(value) })), last: false };
}

/** The run itself has no id: a reader that comes back gets its newest state anyway. */
function runFrames(run: JsonValue | undefined): readonly Frame[] {
  const frame = (event: string, data: string, last: boolean): Frame => ({ seq: undefined, bytes: Buffer.from(sseEvent({ event, data })), last });
  return [...(run === undefined ? [] : [frame('run', JSON.stringify(run), false)]), ...(goesOn(run) ? [] : [frame('end', '{}', true)])];
}

/** One place in the list. What is told while its holder is busy waits here, up to a bound. */
class Reader {
  #waiting: Frame[] = [];
  #lost = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** Forgets what waits: the holder reads the store anew. */
  begin(): void {
    this.#waiting = [];
    this.#lost = false;
  }

  tell(frame: Frame): void {
    if (this.#lost) return;
    if (this.#waiting.length >= mostWaiting) return this.lose();
    this.#waiting.push(frame);
    this.#wake?.();
  }

  lose(): void {
    [this.#waiting, this.#lost] = [[], true];
    this.#wake?.();
  }

  end(failure?: { readonly error: unknown }): void {
    [this.#ended, this.#failure] = [true, failure];
    this.#wake?.();
  }

  /** What waits, if anything does. */
  take(): Frame | 'lost' | 'ended' | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#ended) return 'ended';
    if (this.#lost) return 'lost';
    return this.#waiting.shift();
  }

  async next(): Promise<Frame | 'lost' | 'ended'> {
    for (;;) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      await new Promise<void>((resolve) => { this.#wake = resolve; });
      this.#wake = undefined;
    }
  }
}

/** The one watch, and who is told of which run. It watches only while somebody reads. */
class Hub {
  readonly #root: Store;
  readonly #byRun = new Map<string, Set<Reader>>();
  #watching: { readonly control: AbortController; readonly begun: Promise<void> } | undefined;
  #count = 0;

  constructor(root: Store) {
    this.#root = root;
  }

  get readers(): number {
    return this.#count;
  }

  /** A place, from which on nothing is missed that is not stored. It ends when the signal aborts. */
  async enter(runId: string, signal: AbortSignal): Promise<Reader> {
    const reader = new Reader();
    const readers = this.#byRun.get(runId) ?? new Set();
    this.#byRun.set(runId, readers.add(reader));
    this.#count += 1;
    if (signal.aborted) reader.end();
    else signal.addEventListener('abort', () => reader.end(), { once: true });
    this.#watching ??= this.#watch();
    await this.#watching.begun;
    return reader;
  }

  leave(runId: string, reader: Reader): void {
    const readers = this.#byRun.get(runId);
    if (readers?.delete(reader) !== true) return;
    this.#count -= 1;
    if (readers.size === 0) this.#byRun.delete(runId);
    if (this.#count > 0) return;
    this.#watching?.control.abort();
    this.#watching = undefined;
  }

  #watch(): { readonly control: AbortController; readonly begun: Promise<void> } {
    const control = new AbortController();
    const from = this.#root.revision();
    void this.#tellAll(from, control.signal);
    // Who cannot even begin hears it from the watch.
    return { control, begun: from.then(() => undefined, () => undefined) };
  }

  async #tellAll(from: Promise<number>, signal: AbortSignal): Promise<void> {
    try {
      for await (const notices of this.#root.watch('', await from, signal)) this.#tell(notices);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LokiError && error.code === 'gone') return this.#again();
      for (const reader of this.#everybody()) reader.end({ error });
    }
  }

  /** More happened than the store remembers: everybody goes on from what is stored. */
  #again(): void {
    this.#watching = this.#watch();
    void this.#watching.begun.then(() => { for (const reader of this.#everybody()) reader.lose(); });
  }

  #everybody(): readonly Reader[] {
    return [...this.#byRun.values()].flatMap((readers) => [...readers]);
  }

  /** The events of a transaction before the run: it may have ended with them. */
  #tell(notices: readonly StoreNotice[]): void {
    const runs: StoreNotice[] = [];
    for (const { key, value, revision } of notices) {
      const [, run, of] = runKey.exec(ownerOf(key).key) ?? [];
      if (run !== undefined && this.#byRun.has(run)) runs.push({ key: run, value, revision });
      const readers = of === undefined ? undefined : this.#byRun.get(of);
      if (readers === undefined || value === undefined) continue;
      const frame = eventFrame(value);
      for (const reader of readers) reader.tell(frame);
    }
    for (const { key, value } of runs) {
      const readers = this.#byRun.get(key) ?? [];
      for (const frame of runFrames(value)) for (const reader of readers) reader.tell(frame);
    }
  }
}
