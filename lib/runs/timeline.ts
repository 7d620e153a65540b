/**
 * Everything a run does goes through here, one step at a time. A step is recorded in the log of record first, then
 * committed to the store in one transaction: timeline events, the run, its tasks and its session together. So the store
 * never knows more than the log, and never half of a step. After a crash between the two, the log holds entries of a step
 * that the store does not have; the step is done again and recorded again, which is what happened.
 *
 * The first failure ends the timeline: nothing is written after a step that could not be, and the run is left as if its
 * process had died there.
 */
import type { Clock, Random } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { newId } from '../base/ids.ts';
import type { AuditEvent, Recorder } from '../audit/entry.ts';
import type { Store, StoreChange, StoreCheck } from '../store/store.ts';
import type { Phase, Run, RunEvent, RunEventType, RunStatus } from './run.ts';
import { runKeys } from './run.ts';
import { progressOf, runValue, type Progress } from './progress.ts';
import { readSession, sessionValue, type SessionRecord } from './session.ts';
import { readTail, tailValue, type Tail } from './tail.ts';
import { taskKeys, taskValue, type Task } from './task.ts';

/** A timeline event before it has a place. The phase is the run's own when left out. */
export interface EventDraft {
  readonly event_type: RunEventType;
  readonly phase?: Phase | null;
  readonly details: JsonObject;
}

/** What happens together. Members left out do not change. */
export interface Step {
  readonly audit?: readonly AuditEvent[];
  readonly events?: readonly EventDraft[];
  readonly progress?: (before: Progress) => Progress;
  readonly status?: RunStatus;
  readonly tasks?: readonly Task[];
  /** The session's next record, from the one another process may just have changed; null removes it. */
  readonly session?: (before: SessionRecord | undefined) => SessionRecord | null;
  /** The run and the session may be made by this step: neither must exist. */
  readonly creates?: true;
}

export interface TimelineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly record: Recorder;
  /** Told of each event once it is committed. What it throws is of no consequence. */
  readonly narrate?: (event: RunEvent, run: Run) => void;
  /** Called once, when a step could not be written. */
  readonly onBroken?: (error: unknown) => void;
  /** What must hold for a step to be written: that the run is still this process's to drive. Asked for each try. */
  readonly fence?: () => Promise<StoreCheck>;
}

/** A step as one try would write it. */
interface Draft {
  readonly events: readonly RunEvent[];
  readonly end: Tail;
  readonly progress: Progress;
  readonly monotonic: number;
  readonly run: Run;
}

/** Somebody may change the session, or append an event, between our read and our commit; nobody does so this often. */
const mostConflicts = 50;

/** The one writer of a run. Holders of the project's lock make one; others only append events at its end (append.ts). */
export class Timeline {
  readonly #deps: TimelineDeps;
  #run: Run;
  #revision: number;
  #progress: Progress;
  /** Monotonic time at which `duration_seconds` was last brought up to date. */
  #measuredAt: number;
  #queue: Promise<void> = Promise.resolve();
  #auditSeq: number | null = null;
  #broken: { readonly error: unknown } | undefined;
  /** Where the timeline ended when this process last knew; others may have appended since. */
  #end: { readonly revision: number; readonly tail: Tail } | undefined;

  /** `revision` is the run's own in the store, 0 when the first step creates it. */
  constructor(deps: TimelineDeps, run: Run, revision: number) {
    this.#deps = deps;
    this.#run = run;
    this.#revision = revision;
    this.#progress = progressOf(run);
    this.#measuredAt = deps.clock.monotonic();
  }

  get run(): Run {
    return this.#run;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Whether a step could not be written: nothing can be any more. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** Where the newest entry of this run stands in the log of record; null when audit is switched off. */
  get auditSeq(): number | null {
    return this.#auditSeq;
  }

  /** Writes a step after those already asked for. Resolves when it is durable, rejects when it (or one before it) failed. */
  write(step: Step): Promise<void> {
    const written = this.#queue.then(() => this.#write(step));
    this.#queue = written.catch(() => undefined);
    return written;
  }

  /** From now on nothing is written: the run is left as a death of this process would leave it. */
  abandon(error: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = { error };
    this.#deps.onBroken?.(error);
  }

  async #write(step: Step): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken.error;
    try {
      for (const event of step.audit ?? []) this.#auditSeq = (await this.#deps.record(event)).seq ?? this.#auditSeq;
      await this.#commit(step);
    } catch (error) {
      this.abandon(error);
      throw error;
    }
  }

  async #commit(step: Step): Promise<void> {
    for (let tries = 0; tries < mostConflicts; tries += 1) {
      this.#end ??= await this.#readEnd();
      const draft = this.#draft(step, this.#end.tail);
      const { committed, conflict } = await this.#transact(step, draft, this.#end.revision);
      if (committed !== undefined) return this.#settle(draft, committed);
      if (conflict === runKeys.run(this.#run.id) || (conflict === runKeys.session(this.#run.project_id) && step.creates === true)) break;
      // Where somebody appended to the timeline, what this step says comes after it.
      this.#end = undefined;
    }
    throw new LokiError('conflict', { attempted: `write run ${this.#run.id}`, found: 'another process changed it', hint: 'See what happened with: loki status' });
  }

  async #readEnd(): Promise<{ readonly revision: number; readonly tail: Tail }> {
    const entry = await this.#deps.store.get(runKeys.tail(this.#run.id));
    const { last_seq: seq, last_time: time } = this.#progress;
    return entry === undefined ? { revision: 0, tail: { seq, time } } : { revision: entry.revision, tail: readTail(entry.value) };
  }

  #draft(step: Step, tail: Tail): Draft {
    const now = this.#deps.clock.now();
    const monotonic = this.#deps.clock.monotonic();
    const events = this.#placed(step.events ?? [], now, tail, step.progress);
    const newest = events.at(-1);
    const end: Tail = newest === undefined ? tail : { seq: newest.seq, time: newest.timestamp };
    const progress = this.#next(step, end, monotonic);
    return { events, end, progress, monotonic, run: this.#nextRun(step, progress, now) };
  }

  #settle({ events, end, progress, monotonic, run }: Draft, revision: number): void {
    if (events.length > 0) this.#end = { revision, tail: end };
    this.#revision = revision;
    this.#run = run;
    this.#progress = progress;
    this.#measuredAt = monotonic;
    for (const event of events) this.#narrate(event);
  }

  #placed(drafts: readonly EventDraft[], now: number, tail: Tail, change: Step['progress']): readonly RunEvent[] {
    const { seq: last, time: lastTime } = tail;
    const timestamp = notBefore(lastTime, now);
    const phase = change === undefined ? this.#progress.phase : change(this.#progress).phase;
    return drafts.map((draft, at) => ({
      id: newId('event', Date.parse(timestamp), this.#deps.random.bytes(10)),
      seq: last + at + 1,
      event_type: draft.event_type,
      phase: draft.phase === undefined ? phase : draft.phase,
      details: draft.details,
      timestamp,
    }));
  }

  #next(step: Step, end: Tail, monotonic: number): Progress {
    const changed = step.progress === undefined ? this.#progress : step.progress(this.#progress);
    const seconds = this.#progress.duration_seconds + (monotonic - this.#measuredAt) / 1000;
    return {
      ...changed,
      last_seq: end.seq,
      last_time: end.time,
      duration_seconds: Math.round(seconds * 1000) / 1000,
    };
  }

  #nextRun(step: Step, progress: Progress, now: number): Run {
    const status = step.status ?? this.#run.status;
    const ended = status === 'completed' || status === 'failed' || status === 'cancelled';
    const at = notBefore(progress.last_time, now);
    return {
      ...this.#run,
      status,
      result_summary: progress,
      started_at: this.#run.started_at ?? (status === 'pending' ? null : at),
      ended_at: ended ? this.#run.ended_at ?? at : null,
    };
  }

  /** One try. Others may change the session and the end of the timeline meanwhile; whoever changes the run has taken it. */
  async #transact(step: Step, { run, events, end }: Draft, endRevision: number): Promise<{ readonly committed?: number; readonly conflict?: string }> {
    const { store, fence } = this.#deps;
    const session = step.session === undefined ? undefined : await this.#sessionChange(step);
    const checks: StoreCheck[] = [
      { key: runKeys.run(run.id), revision: this.#revision },
      ...(fence === undefined ? [] : [await fence()]),
      ...(session === undefined ? [] : [session.check]),
      ...(events.length === 0 ? [] : [{ key: runKeys.tail(run.id), revision: endRevision }]),
    ];
    const outcome = await store.transact(checks, [
      { key: runKeys.run(run.id), value: runValue(run) },
      ...events.map((event) => ({ key: runKeys.event(run.id, event.seq), value: { ...event } })),
      ...(events.length === 0 ? [] : [{ key: runKeys.tail(run.id), value: tailValue(end) }]),
      ...(step.tasks ?? []).map((task) => ({ key: taskKeys.task(task.id), value: taskValue(task) })),
      ...(session === undefined ? [] : [session.change]),
    ]);
    return outcome.committed ? { committed: outcome.revision } : { conflict: outcome.conflict };
  }

  async #sessionChange(step: Step): Promise<{ check: StoreCheck; change: StoreChange }> {
    const key = runKeys.session(this.#run.project_id);
    const entry = await this.#deps.store.get(key);
    const after = step.session?.(entry === undefined ? undefined : readSession(entry.value)) ?? null;
    return {
      check: { key, revision: entry?.revision ?? 0 },
      change: { key, value: after === null ? undefined : sessionValue(after) },
    };
  }

  #narrate(event: RunEvent): void {
    try {
      this.#deps.narrate?.(event, this.#run);
    } catch {
      // Whoever watches a run cannot stop it.
    }
  }
}

/** The time as text; the one before it when the clock has gone back. */
function notBefore(last: string | null, now: number): string {
  const text = new Date(now).toISOString();
  return last !== null && last > text ? last : text;
}
