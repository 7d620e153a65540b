/**
 * A receiver of OTLP/HTTP as a `Destination` (docs/decisions/0021): what is offered goes to it, or waits on disk until it is back, oldest first, within bounds.
 * Each signal has its own line, as each may have its own endpoint; the folder and its bound are one. Nothing here throws, and only `flush` and `close` wait.
 */
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import { signals, type Batch, type Signal } from '../batch.ts';
import { createAccount, type Account } from './account.ts';
import { Backlog } from './backlog.ts';
import { Lane } from './lane.ts';
import type { OtlpDestinationOptions, StandingDestination } from './options.ts';
import { createSpool, largestFile, type Spool } from './spool.ts';
import type { DestinationStand, SignalStand } from './stand.ts';

/** What may be sent at once: more is taken by no receiver that keeps to the specification's default. */
const largestBody = 64 * 1024 * 1024;
const usualMemory = { batches: 64, bytes: 8 * 1024 * 1024 };

/** What waits on disk already is taken up, and sent as soon as something kicks it off: an offer, a flush, or a moment. */
export function createOtlpDestination(options: OtlpDestinationOptions): StandingDestination {
  return new OtlpDestination(options);
}

class OtlpDestination implements StandingDestination {
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly temporality: StandingDestination['temporality'];
  readonly #options: OtlpDestinationOptions;
  readonly #account: Account;
  readonly #spool: Spool | undefined;
  readonly #backlog: Backlog;
  readonly #lanes: ReadonlyMap<Signal, Lane>;
  readonly #watchers = new Set<() => void>();
  #isClosed = false;
  #isKicked = false;

  constructor(options: OtlpDestinationOptions) {
    const { name, endpoints, temporality, spool, clock, random, memory = usualMemory, timers } = options;
    this.#options = options;
    this.name = name;
    this.temporality = temporality;
    this.signals = signals.filter((signal) => endpoints[signal] !== undefined);
    this.#account = createAccount(options.countDrops);
    this.#spool = spool === undefined ? undefined : createSpool(spool, clock);
    this.#backlog = new Backlog({ clock, random, account: this.#account, spool: this.#spool, memory, wanted: this.signals });
    this.#lanes = new Map(this.signals.map((signal) => [signal, this.#lane(signal)]));
    // Not within the call: whoever makes it has not finished.
    timers.after(0, () => this.#kick());
  }

  offer(batch: Batch): void {
    const lane = this.#lanes.get(batch.signal);
    if (lane === undefined || batch.items <= 0) return;
    if (this.#isClosed) return this.#afterEnd(batch);
    if (Buffer.byteLength(batch.body) > (this.#spool === undefined ? largestBody : largestFile)) return this.#account.dropped(batch.signal, 'too_large', batch.items);
    this.#backlog.add(batch, lane.isSpooling);
    this.#kickSoon();
  }

  /** When the call is over: what is offered together is sent together. */
  #kickSoon(): void {
    if (this.#isKicked) return;
    this.#isKicked = true;
    void Promise.resolve().then(() => {
      this.#isKicked = false;
      this.#kick();
    });
  }

  adopt(folder: string, file: SpoolFile): boolean {
    if (this.#isClosed) return false;
    const { spool, handedOver } = this.#options;
    if (spool === undefined && handedOver === undefined) return false;
    const read = (path: string): string | undefined => handedOver?.read(path, largestFile);
    const isTaken = this.#backlog.adopt(folder, file, read);
    this.#kick();
    return isTaken;
  }

  async flush(deadlineMs: number): Promise<boolean> {
    const mark = this.#backlog.mark();
    for (const lane of this.#lanes.values()) lane.hurry();
    return this.#until(() => !this.#backlog.hasUpTo(mark, false), deadlineMs);
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return;
    const mark = this.#backlog.mark();
    this.#kick();
    // A receiver that fails is not waited for, but for the answer to what is on its way.
    const isIdle = (): boolean => [...this.#lanes.values()].every((lane) => !lane.isSending);
    const isFailing = (): boolean => [...this.#lanes.values()].some((lane) => lane.isFailing);
    await this.#until(() => !this.#backlog.hasUpTo(mark, true) || (isFailing() && isIdle()), deadlineMs);
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.stop();
    this.#backlog.close();
  }

  stand(): DestinationStand {
    const { items, batches, batchBytes, oldest } = this.#backlog.stand();
    const stands: { [signal in Signal]?: SignalStand } = {};
    for (const [signal, lane] of this.#lanes) stands[signal] = lane.stand();
    return {
      name: this.name, kind: 'otlp', state: Object.values(stands).some(({ state }) => state === 'spooling') ? 'spooling' : 'direct',
      waiting: { items, files: this.#spool?.files ?? 0, fileBytes: this.#spool?.bytes ?? 0, batches, batchBytes, oldest }, signals: stands, disk: this.#spool?.trouble ?? null,
    };
  }

  #lane(signal: Signal): Lane {
    const { endpoints, transport, clock, timers, random, userAgent, connections = 1 } = this.#options;
    const endpoint = endpoints[signal];
    if (endpoint === undefined) throw new Error(`no endpoint for ${signal}`);
    const onChange = (): void => { for (const watcher of this.#watchers) watcher(); };
    return new Lane({ signal, endpoint, backlog: this.#backlog, account: this.#account, transport, clock, timers, random, userAgent, connections: Math.max(1, connections), hasSpool: this.#spool !== undefined, onChange });
  }

  #kick(): void {
    if (!this.#isClosed) for (const lane of this.#lanes.values()) lane.kick();
  }

  /** What comes after the end: to disk, or counted. */
  #afterEnd(batch: Batch): void {
    this.#backlog.add(batch, true);
    this.#backlog.close();
  }

  /** Waits until something holds, and looks whenever a request ended. Keeps the process alive for as long as it waits, and hardly longer. */
  async #until(holds: () => boolean, deadlineMs: number): Promise<boolean> {
    const { clock, timers } = this.#options;
    const end = clock.monotonic() + deadlineMs;
    let wake: () => void = () => undefined;
    const watcher = (): void => wake();
    this.#watchers.add(watcher);
    try {
      while (!holds()) {
        const left = end - clock.monotonic();
        if (left <= 0) return false;
        const changed = new Promise<void>((resolve) => { wake = resolve; });
        await Promise.race([changed, timers.sleep(Math.min(left, longestSliceMs))]);
      }
      return true;
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

/** A sleep cannot be called off; this is how much longer than needed it may keep the process. */
const longestSliceMs = 25;
