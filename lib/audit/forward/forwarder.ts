/**
 * Sends the log to one receiver, onwards from where it stopped. Entries are read from the files when they are to be sent,
 * so a receiver that is away costs neither memory nor anybody's time: the log itself is the queue. What is not known to be
 * received is sent again. One process at a time serves a receiver; its lock says which.
 */
import type { Clock, Disk, Lock, Random, Timers } from '../../ports.ts';
import { messageOf } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { AuditEvent } from '../entry.ts';
import { positionDetails, readState, writeState, type Position, type StatePlace, type Trouble } from './cursor.ts';
import { outgoingOf, type OpenEntry } from './message.ts';
import { firstPosition, oldestPosition, readOn, type Reading } from './reader.ts';
import type { Handover, Receiver, Refusal } from './receiver.ts';

export interface ForwarderOptions {
  readonly receiver: Receiver;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Keeps other processes from serving the same receiver. */
  readonly lock: Lock;
  /** The log's directory. */
  readonly directory: string;
  readonly state: StatePlace;
  /** This machine, for lines that do not name theirs. */
  readonly hostname: string;
  /** Records `syslog.error`. */
  readonly record: (event: AuditEvent) => Promise<unknown>;
  /** Made anew for every batch, so that a key that was destroyed is not used again. */
  readonly openEntries?: () => OpenEntry;
}

/** What one pass did. */
export interface PassReport {
  readonly receiver: string;
  readonly sent: number;
  /** Everything that the log holds has been received. */
  readonly done: boolean;
  /** Why not: in words. */
  readonly why?: string;
}

/** A forwarder that runs. */
export interface RunningForwarder {
  /** Sends what is there for up to `deadlineMs`, then ends. */
  stop(deadlineMs: number): Promise<void>;
}

const batchLimits = { lines: 256, bytes: 1 << 19 } as const;
/** How often the log is looked at. */
const lookEveryMs = 1_000;
const lookAgainMs = 250;
/** A stream is held open for so long after the last entry, and no longer than that in all: what was sent on it is not certain before it ends. */
const lingerMs = 5_000;
const longestUncertainMs = 30_000;
/** Another process serves the receiver: it may end. */
const lookForLockMs = 5_000;
const shortestWaitMs = 1_000;
const longestWaitMs = 5 * 60_000;
const longestRetryAfterMs = 15 * 60_000;
/** Until somebody mends the configuration; `loki syslog test` ends it sooner. */
const permanentWaitMs = 15 * 60_000;
/** Trouble is recorded no more often than this, however often it comes and goes. */
const reportEveryMs = 10 * 60_000;
/** What is under way when the time is up gets this much more. */
const graceMs = 500;

/** How long a pass may take, and for how long it looks for more once it is done. */
export interface PassTimes {
  readonly deadlineMs: number;
  readonly lingerMs: number;
}

/** Sends what there is. With trouble that is being waited out, or another process at work, nothing. */
export async function forwardPass(options: ForwarderOptions, { deadlineMs, lingerMs }: PassTimes): Promise<PassReport> {
  const { receiver: { name }, clock, timers } = options;
  if (!await locked(options.lock)) return { receiver: name, sent: 0, done: false, why: 'another process serves it' };
  try {
    const serving = new Serving(options);
    if (serving.waitMs() > 0) return { receiver: name, sent: 0, done: false, why: `waiting after trouble: ${serving.trouble ?? ''}` };
    const until = clock.monotonic() + deadlineMs;
    let done = await serving.drain(until);
    for (const lingers = clock.monotonic() + lingerMs; done && clock.monotonic() < Math.min(until, lingers);) {
      await timers.sleep(lookAgainMs);
      done = await serving.drain(until);
    }
    return { receiver: name, sent: serving.sent, done, ...(done ? {} : { why: serving.trouble ?? 'the time was up' }) };
  } finally {
    options.receiver.close();
    options.lock.release();
  }
}

async function locked(lock: Lock): Promise<boolean> {
  try {
    await lock.acquire(0);
    return true;
  } catch {
    return false;
  }
}

/** Serves the receiver until stopped. No timer of it keeps the process alive. */
export function startForwarder(options: ForwarderOptions): RunningForwarder {
  let stopping: number | undefined;
  let wake: () => void = () => undefined;
  const pause = (milliseconds: number): Promise<void> => new Promise((done) => {
    if (stopping !== undefined) return done();
    const cancel = options.timers.after(milliseconds, done);
    wake = () => { cancel(); done(); };
    return undefined;
  });
  const run = async (): Promise<void> => {
    while (!await locked(options.lock)) {
      if (stopping !== undefined) return;
      await pause(lookForLockMs);
    }
    try {
      const serving = new Serving(options);
      // Whoever starts anew tries at once: what was wrong may have been put right.
      for (let waitMs = 0; stopping === undefined; waitMs = Math.max(lookEveryMs, serving.waitMs())) {
        await pause(waitMs);
        if (stopping === undefined) await serving.step(() => stopping === undefined);
        if (serving.permanent) return;
      }
      if (serving.trouble === undefined) await serving.drain(stopping);
    } finally {
      options.receiver.close();
      options.lock.release();
    }
  };
  const running = run().catch(async (error: unknown) => {
    await options.record(errorEvent(options.receiver, { found: messageOf(error), stopped: true })).catch(() => undefined);
  });
  return {
    async stop(deadlineMs) {
      stopping = options.clock.monotonic() + deadlineMs;
      wake();
      // Who hangs in a connection that nobody answers is not waited for.
      await new Promise<void>((done) => {
        const cancel = options.timers.after(deadlineMs + graceMs, done);
        void running.then(() => { cancel(); done(); });
      });
      options.receiver.close();
    },
  };
}

/** Forgets that a receiver is being waited for, so that the next pass tries it at once. */
export async function tryAgainNow({ lock, state, receiver }: Pick<ForwarderOptions, 'lock' | 'state' | 'receiver'>): Promise<void> {
  if (!await locked(lock)) return;
  try {
    const found = readState(state);
    if (found.kind === 'known' && found.state.trouble !== undefined) writeState(state, receiver.name, { ...found.state, trouble: { ...found.state.trouble, nextTry: 0 } });
  } finally {
    lock.release();
  }
}

function errorEvent(receiver: Receiver, details: JsonObject, level: 'error' | 'info' = 'error'): AuditEvent {
  return { event: 'syslog.error', level, actor: 'system', details: { receiver: receiver.name, ...details } };
}

/** One receiver being served, under its lock. */
class Serving {
  readonly #options: ForwarderOptions;
  /** Before it everything has been received; the state file says so, unless the disk was full. */
  #confirmed: Position;
  /** Before it everything has been sent. */
  #sentTo: Position;
  #trouble: Trouble | undefined;
  #reported = 0;
  #refused = 0;
  /** Told once what is before `#sentTo` is confirmed: else each try would tell it anew. */
  #toTell: JsonObject[] = [];
  #refusals: readonly Refusal[] = [];
  #uncertainSince = 0;
  #lastSent = 0;
  sent = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { disk, directory, state } = options;
    const found = readState(state);
    if (found.kind === 'known') ({ position: this.#confirmed, trouble: this.#trouble, reported: this.#reported, refused: this.#refused } = found.state);
    else this.#confirmed = found.kind === 'new' ? firstPosition(disk, directory) : oldestPosition(disk, directory);
    this.#sentTo = this.#confirmed;
    if (found.kind === 'known') return;
    this.#save();
    if (found.kind === 'damaged') void this.#tell({ found: 'the record of how far it has been served cannot be read; everything in the log is sent again' });
  }

  get trouble(): string | undefined {
    return this.#trouble?.message;
  }

  get permanent(): boolean {
    return this.#trouble?.permanent === true;
  }

  /** Until the next try makes sense. A clock that went back is no reason to wait for longer than was ever meant. */
  waitMs(): number {
    const wait = (this.#trouble?.nextTry ?? 0) - this.#options.clock.now();
    return wait > Math.max(longestRetryAfterMs, permanentWaitMs) ? 0 : Math.max(0, wait);
  }

  /** Everything there is, until it is received or the time (monotonic) is up. */
  async drain(until: number): Promise<boolean> {
    for (;;) {
      const more = await this.#sendOne();
      if (more === 'failed') return false;
      if (more === 'nothing') return this.#settle();
      if (this.#options.clock.monotonic() <= until) continue;
      await this.#settle();
      return false;
    }
  }

  /** Sends what is there now; ends a stream on which nothing more comes, or which has been open for long. */
  async step(goesOn: () => boolean): Promise<void> {
    const { clock, timers } = this.#options;
    for (let more = await this.#sendOne(); more !== 'failed'; more = await this.#sendOne()) {
      const now = clock.monotonic();
      const isDue = now - this.#uncertainSince > longestUncertainMs || (more === 'nothing' && now - this.#lastSent > lingerMs);
      if (this.#sentTo !== this.#confirmed && isDue) await this.#settle();
      if (more === 'nothing' || !goesOn()) return;
      await timers.yield();
    }
  }

  async #sendOne(): Promise<'more' | 'nothing' | 'failed'> {
    const { disk, directory, receiver, hostname, openEntries, clock } = this.#options;
    try {
      const reading = readOn(disk, directory, this.#sentTo, batchLimits);
      const last = reading.positions.at(-1);
      if (last === undefined) return 'nothing';
      const open = openEntries?.();
      const handover = await receiver.send(reading.lines.map((line) => outgoingOf(line, hostname, open)));
      if (handover.kind === 'failed') return await this.#failed(handover);
      if (this.#sentTo === this.#confirmed) this.#uncertainSince = clock.monotonic();
      this.#lastSent = clock.monotonic();
      this.#note(reading);
      this.#refusals = handover.refused;
      this.#sentTo = last;
      this.sent += reading.lines.length;
    } catch (error) {
      return this.#failed({ kind: 'failed', found: messageOf(error), permanent: false, retryAfterMs: undefined });
    }
    // It takes entries: whatever was wrong with the configuration is not.
    if (this.#trouble?.permanent === true) this.#trouble = { ...this.#trouble, permanent: false };
    if (receiver.confirms) await this.#confirm();
    return 'more';
  }

  #note({ missing, replaced }: Reading): void {
    if (missing !== undefined) this.#toTell.push({ found: 'entries were taken out of the log before they could be sent', missing: missing.last - missing.first + 1, first_seq: missing.first, last_seq: missing.last });
    if (replaced !== undefined) this.#toTell.push({ found: 'the log is not what it was when it was last sent; its file is sent again from the start', file: replaced });
    if (this.#toTell.length > mostTold) this.#toTell.splice(0, 1);
  }

  async #settle(): Promise<boolean> {
    const handover = await this.#options.receiver.settle();
    if (handover.kind === 'failed') await this.#failed(handover);
    else await this.#confirm();
    return handover.kind === 'taken';
  }

  async #confirm(): Promise<void> {
    const recovered = this.#trouble;
    if (this.#sentTo === this.#confirmed && recovered === undefined) return;
    const refusals = this.#refusals;
    const tellsRefusals = this.#refused + refusals.length > 0 && this.#mayReport();
    const refused = this.#refused + refusals.length;
    const told = this.#toTell;
    this.#confirmed = this.#sentTo;
    [this.#trouble, this.#toTell, this.#refusals] = [undefined, [], []];
    this.#refused = tellsRefusals ? 0 : refused;
    if (tellsRefusals) this.#reported = this.#options.clock.now();
    this.#save();
    for (const details of told) await this.#tell(details);
    const last = refusals.at(-1);
    if (tellsRefusals) await this.#tell({ found: `it refuses entries for good${last === undefined ? '' : `: ${last.reason}`}`, refused, ...(last === undefined ? {} : { last_seq: last.seq }) });
    if (recovered?.told === true) await this.#tell({ found: 'it takes entries again', recovered: true, attempts: recovered.attempts, since: new Date(recovered.since).toISOString() }, 'info');
  }

  /** Everything that is not certain is sent again, after a while that grows with each failure. */
  async #failed({ found, permanent, retryAfterMs }: Handover & { readonly kind: 'failed' }): Promise<'failed'> {
    const { receiver, clock } = this.#options;
    receiver.close();
    this.#sentTo = this.#confirmed;
    [this.#toTell, this.#refusals] = [[], []];
    const now = clock.now();
    const before = this.#trouble;
    const attempts = (before?.attempts ?? 0) + 1;
    const tells = this.#mayReport();
    const waitMs = permanent ? permanentWaitMs : Math.max(Math.min(retryAfterMs ?? 0, longestRetryAfterMs), this.#backoff(attempts));
    const trouble = { since: before?.since ?? now, attempts, message: found.slice(0, longestFound), permanent, told: tells || before?.told === true, nextTry: now + waitMs };
    this.#trouble = trouble;
    if (tells) this.#reported = now;
    this.#save();
    if (tells) await this.#tell({ found: trouble.message, attempts, since: new Date(trouble.since).toISOString(), waiting_after: positionDetails(this.#confirmed), ...(permanent ? { stopped: true } : {}) });
    return 'failed';
  }

  #mayReport(): boolean {
    const since = this.#options.clock.now() - this.#reported;
    return since >= reportEveryMs || since < 0;
  }

  /** Doubles from a second to five minutes; between half of that and all of it, so that many senders do not come at once. */
  #backoff(attempts: number): number {
    const most = Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(attempts - 1, 20));
    return Math.round(most * (0.5 + (this.#options.random.bytes(1)[0] ?? 0) / 510));
  }

  /** A state that cannot be saved costs repetition after the next start; the next one that can be says it all. */
  #save(): void {
    try {
      writeState(this.#options.state, this.#options.receiver.name, { position: this.#confirmed, trouble: this.#trouble, reported: this.#reported, refused: this.#refused });
    } catch {
      return;
    }
  }

  /** What cannot be recorded stands in the state file; forwarding goes on. */
  async #tell(details: JsonObject, level: 'error' | 'info' = 'error'): Promise<void> {
    await this.#options.record(errorEvent(this.#options.receiver, details, level)).catch(() => undefined);
  }
}

/** Of one confirmed stretch. */
const mostTold = 20;
const longestFound = 500;
