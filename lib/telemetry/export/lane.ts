/**
 * Sends the batches of one signal to one endpoint, the oldest first, and decides by the answer what becomes of them and when the next goes. While the receiver
 * answers, batches go from memory; after a failure they wait on disk, one at a time is tried, and each try comes later than the one before.
 */
import type { ExportAnswer, ExportTransport } from '../../base/telemetry-ports.ts';
import { messageOf } from '../../errors.ts';
import type { Cancel, Clock, Random, Timers } from '../../ports.ts';
import type { Signal } from '../batch.ts';
import type { Account } from './account.ts';
import type { Backlog, Parcel } from './backlog.ts';
import { isDamaged } from './body.ts';
import type { OtlpEndpoint } from './options.ts';
import { pauseMs } from './pause.ts';
import type { DestinationState, SignalStand, Tried } from './stand.ts';
import { judge, secretsOf, type Verdict } from './verdict.ts';

export interface LaneOptions {
  readonly signal: Signal;
  readonly endpoint: OtlpEndpoint;
  readonly backlog: Backlog;
  readonly account: Account;
  readonly transport: ExportTransport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly userAgent: string;
  readonly connections: number;
  readonly hasSpool: boolean;
  /** Something changed that somebody may wait for. */
  readonly onChange: () => void;
}

/** What small batches are joined to. Proxies before receivers often take a megabyte and no more. */
const joinedBytes = 1024 * 1024;

export class Lane {
  readonly #options: LaneOptions;
  readonly #secrets: readonly string[];
  #sending = 0;
  #mostBytes: number = joinedBytes;
  /** From a failure until nothing waits on disk; and at the start, where an earlier process left something. */
  #isSpooling: boolean;
  /** Nothing was delivered yet: the first request is a small one. */
  #isTried = false;
  #failures = 0;
  #pause: { readonly until: number; readonly cancel: Cancel; readonly isAsked: boolean } | undefined;
  #isStopped = false;
  #lastSuccess: Tried | null = null;
  #lastFailure: Tried | null = null;
  #lastWarning: Tried | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#secrets = secretsOf(options.endpoint);
    this.#isSpooling = options.hasSpool && options.backlog.isOnDisk(options.signal);
  }

  /** New batches are to wait on disk. */
  get isSpooling(): boolean { return this.#isSpooling; }
  get isFailing(): boolean { return this.#failures > 0; }
  get isSending(): boolean { return this.#sending > 0; }

  get state(): DestinationState { return this.#isSpooling || this.#failures > 0 ? 'spooling' : 'direct'; }

  stand(): SignalStand {
    const { account, signal } = this.#options;
    return {
      state: this.state, ...account.of(signal), lastSuccess: this.#lastSuccess, lastFailure: this.#lastFailure, lastWarning: this.#lastWarning,
      failures: this.#failures, nextTry: this.#pause?.until ?? null,
    };
  }

  /** Sends what may be sent now. */
  kick(): void {
    const { backlog, signal, connections } = this.#options;
    const isGood = (): boolean => this.#isTried && this.#failures === 0;
    while (!this.#isStopped && this.#pause === undefined && this.#sending < (isGood() ? connections : 1) && backlog.has(signal)) {
      // What is tried first, or again, is small: one batch.
      const parcel = backlog.take(signal, isGood() ? this.#mostBytes : 0);
      if (parcel !== undefined) this.#send(parcel).catch((error: unknown) => this.#failed(`a defect here: ${messageOf(error)}`, undefined));
      // All that waited was gone, or the disk cannot be read now.
      else if (backlog.has(signal)) this.#failed('the spool cannot be read', undefined);
    }
  }

  /** Somebody waits: tries now, unless the receiver asked for the pause. */
  hurry(): void {
    if (this.#pause?.isAsked === false) this.#endPause();
    this.kick();
  }

  /** Nothing is sent any more; what is on its way is still heard. Until when the receiver is to be left alone is still said: the next process asks. */
  stop(): void {
    this.#isStopped = true;
    this.#pause?.cancel();
  }

  async #send(parcel: Parcel): Promise<void> {
    const { clock, signal, onChange } = this.#options;
    this.#sending += 1;
    const answer = await this.#post(parcel);
    this.#sending -= 1;
    this.#settle(parcel, judge(answer, signal, parcel.items, this.#secrets, clock.now()));
    this.kick();
    onChange();
  }

  async #post({ body }: Parcel): Promise<ExportAnswer> {
    const { transport, endpoint, userAgent } = this.#options;
    try {
      const { url, headers, gzip, timeoutMs, tls } = endpoint;
      return await transport.post({ url, headers: { 'user-agent': userAgent, ...headers }, body, gzip, timeoutMs, ...(tls === undefined ? {} : { tls }) });
    } catch (error) {
      return { kind: 'unreachable', code: undefined, message: messageOf(error) };
    }
  }

  #settle(parcel: Parcel, verdict: Verdict): void {
    // Whoever stopped has written it down already, or counted it.
    if (this.#isStopped && !(verdict.kind === 'taken' && this.#options.hasSpool)) return;
    if (verdict.kind === 'taken') this.#taken(parcel, verdict);
    else if (verdict.kind === 'again') this.#again(parcel, verdict.words, verdict.askedMs);
    else if (verdict.kind === 'too_large') this.#tooLarge(parcel, verdict.words);
    else this.#refused(parcel, verdict);
  }

  #taken({ waiting, items }: Parcel, { words, rejected, warning }: Verdict & { readonly kind: 'taken' }): void {
    const { backlog, account, signal, clock } = this.#options;
    backlog.done(waiting);
    account.delivered(signal, items - rejected);
    account.dropped(signal, 'rejected', rejected);
    this.#lastSuccess = { at: clock.now(), words };
    if (warning !== undefined) this.#lastWarning = { at: clock.now(), words: warning };
    this.#answered();
  }

  /** The receiver is there, and takes what it is sent. */
  #answered(): void {
    const { backlog, signal } = this.#options;
    this.#failures = 0;
    this.#isTried = true;
    if (this.#isSpooling && !backlog.isOnDisk(signal)) this.#isSpooling = false;
  }

  #again({ waiting }: Parcel, words: string, askedMs: number | undefined): void {
    this.#failed(words, askedMs);
    this.#options.backlog.giveBack(waiting, this.#isSpooling);
  }

  #tooLarge(parcel: Parcel, words: string): void {
    const { backlog, clock } = this.#options;
    const [only] = parcel.waiting;
    this.#lastFailure = { at: clock.now(), words };
    if (parcel.waiting.length > 1) {
      this.#mostBytes = Math.floor(lengthOf(parcel.body) / 2);
      backlog.giveBack(parcel.waiting, this.#isSpooling);
    } else if (only === undefined || !backlog.cut(only, parcel.body.join(''), this.#isSpooling)) {
      backlog.drop(parcel.waiting, 'too_large');
    }
    // It answers: nothing stands in the way of the next.
    this.#answered();
  }

  /** What is refused is not sent again. The next goes later, so that a wrong password does not cost all that waits within a second. */
  #refused({ waiting, body }: Parcel, { words, ofBatch }: Verdict & { readonly kind: 'refused' }): void {
    const { backlog } = this.#options;
    this.#failed(words, undefined);
    const [only] = waiting;
    // One of several may have spoilt the others: they go again, one by one.
    if (ofBatch && waiting.length > 1) backlog.giveBack(waiting, this.#isSpooling);
    else if (ofBatch && only?.isOnDisk === true && isDamaged(body.join(''))) backlog.drop(waiting, 'damaged');
    else backlog.drop(waiting, 'refused');
  }

  /** From now on what is new waits on disk, and the next try comes later than the last. */
  #failed(words: string, askedMs: number | undefined): void {
    const { clock, timers, random, backlog, signal, hasSpool } = this.#options;
    this.#lastFailure = { at: clock.now(), words };
    this.#isSpooling = hasSpool;
    if (hasSpool) backlog.toDisk(signal);
    // Several requests that were on their way together fail together, once.
    if (this.#pause !== undefined) return;
    this.#failures += 1;
    const [lot = 0] = random.bytes(1);
    const wait = pauseMs(this.#failures, lot / 256, askedMs);
    const cancel = timers.after(wait, () => {
      this.#pause = undefined;
      this.kick();
    });
    this.#pause = { until: clock.now() + wait, cancel, isAsked: askedMs !== undefined };
  }

  #endPause(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
  }
}

function lengthOf(pieces: readonly string[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
