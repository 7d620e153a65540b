/**
 * How far a run has come. It is the run's `result_summary` from the first moment on: the dashboard shows it while the run
 * goes, and a new process takes the run up from it after a crash. Read back with every member checked.
 */
import type { JsonObject, JsonValue } from '../base/json.ts';
import { isPlainObject } from '../base/json.ts';
import { LokiError } from '../errors.ts';
import type { Phase, Run, RunStatus, RunTrigger } from './run.ts';

/** How one quality gate ended the last time. */
export type GateSummary = { readonly name: string; readonly passed: boolean };

/** What one reviewer said the last time. */
export type VerdictSummary = { readonly reviewer: string; readonly approved: boolean; readonly reason: string };

/** A type alias, not an interface: so it is a JSON object to the compiler too. */
export type Progress = {
  /** The phase entered and not yet completed; after a crash it is begun again. */
  readonly phase: Phase | null;
  readonly iteration: number;
  /** Processes that have worked on the run. */
  readonly attempt: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Provider calls that reported no usage: the sums say nothing about them. */
  readonly unmetered_calls: number;
  readonly provider_calls: number;
  readonly cost_usd: number;
  readonly task_ids: readonly string[];
  readonly gates: readonly GateSummary[];
  readonly council: readonly VerdictSummary[];
  /** Why the last round was not accepted; the next REASON reads it. */
  readonly feedback: readonly string[];
  /** Budget alerts already given: `rule percent`. */
  readonly alerts: readonly string[];
  /** Resource rules a person has let this run exceed. */
  readonly waived: readonly string[];
  readonly branch: string | null;
  /** Commit the run's changes are compared with. */
  readonly base_commit: string | null;
  /** Sequence number of the newest timeline event. */
  readonly last_seq: number;
  /** Newest timeline time, so that a clock set back never makes the timeline go back. */
  readonly last_time: string | null;
  /** Newest decision of the log of record that the timeline has. */
  readonly decision_seq: number | null;
  /** Measured on the monotonic clock, over all processes, pauses included. */
  readonly duration_seconds: number;
  readonly reason: string | null;
};

export const noProgress: Progress = {
  phase: null, iteration: 0, attempt: 0, input_tokens: 0, output_tokens: 0, unmetered_calls: 0, provider_calls: 0, cost_usd: 0,
  task_ids: [], gates: [], council: [], feedback: [], alerts: [], waived: [], branch: null, base_commit: null,
  last_seq: 0, last_time: null, decision_seq: null, duration_seconds: 0, reason: null,
};

/** Tokens a run has used, as far as it was told. */
export function tokensOf(progress: Progress): number {
  return progress.input_tokens + progress.output_tokens;
}

/** The value a store keeps. */
export function runValue(run: Run): JsonValue {
  return { ...run };
}

/** A run read from the store. Throws `store.corrupt` for anything that is none. */
export function readRun(value: JsonValue): Run {
  const from = new StoredObject('run', value);
  return {
    id: from.text('id'),
    project_id: from.text('project_id'),
    tenant_id: from.textOrNull('tenant_id'),
    status: from.oneOf<RunStatus>('status', ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled']),
    trigger: from.oneOf<RunTrigger>('trigger', ['manual', 'webhook', 'schedule', 'replay', 'api']),
    config: from.object('config'),
    result_summary: from.objectOrNull('result_summary'),
    parent_run_id: from.textOrNull('parent_run_id'),
    started_at: from.textOrNull('started_at'),
    ended_at: from.textOrNull('ended_at'),
    created_at: from.text('created_at'),
  };
}

/** The progress in a run. A run that never began has none yet. */
export function progressOf(run: Run): Progress {
  if (run.result_summary === null) return noProgress;
  const from = new StoredObject('run progress', run.result_summary);
  return {
    phase: from.oneOfOrNull<Phase>('phase', ['REASON', 'ACT', 'REFLECT', 'VERIFY']),
    iteration: from.count('iteration'),
    attempt: from.count('attempt'),
    input_tokens: from.count('input_tokens'),
    output_tokens: from.count('output_tokens'),
    unmetered_calls: from.count('unmetered_calls'),
    provider_calls: from.count('provider_calls'),
    cost_usd: from.number('cost_usd'),
    task_ids: from.texts('task_ids'),
    gates: from.objects('gates').map((gate) => ({ name: gate.text('name'), passed: gate.flag('passed') })),
    council: from.objects('council').map((one) => ({ reviewer: one.text('reviewer'), approved: one.flag('approved'), reason: one.text('reason') })),
    feedback: from.texts('feedback'),
    alerts: from.texts('alerts'),
    waived: from.texts('waived'),
    branch: from.textOrNull('branch'),
    base_commit: from.textOrNull('base_commit'),
    last_seq: from.count('last_seq'),
    last_time: from.textOrNull('last_time'),
    decision_seq: from.countOrNull('decision_seq'),
    duration_seconds: from.number('duration_seconds'),
    reason: from.textOrNull('reason'),
  };
}

/** Reads the members of a stored object, each with its type. The first that does not fit is `store.corrupt`. */
export class StoredObject {
  readonly #what: string;
  readonly #value: Record<string, unknown>;

  constructor(what: string, value: unknown) {
    this.#what = what;
    if (!isPlainObject(value)) throw this.#corrupt('it is no object');
    this.#value = value;
  }

  text(name: string): string {
    const value = this.#value[name];
    if (typeof value !== 'string') throw this.#corrupt(`"${name}" is no text`);
    return value;
  }

  textOrNull(name: string): string | null {
    return this.#value[name] === null ? null : this.text(name);
  }

  textIfAny(name: string): string | undefined {
    return this.#value[name] === undefined ? undefined : this.text(name);
  }

  number(name: string): number {
    const value = this.#value[name];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#corrupt(`"${name}" is no number`);
    return value;
  }

  /** A whole number from 0. */
  count(name: string): number {
    const value = this.number(name);
    if (!Number.isSafeInteger(value) || value < 0) throw this.#corrupt(`"${name}" is no count`);
    return value;
  }

  countOrNull(name: string): number | null {
    return this.#value[name] === null ? null : this.count(name);
  }

  flag(name: string): boolean {
    const value = this.#value[name];
    if (typeof value !== 'boolean') throw this.#corrupt(`"${name}" is neither true nor false`);
    return value;
  }

  oneOf<T extends string>(name: string, accepted: readonly T[]): T {
    const found = accepted.find((one) => one === this.#value[name]);
    if (found === undefined) throw this.#corrupt(`"${name}" is none of ${accepted.join(', ')}`);
    return found;
  }

  oneOfOrNull<T extends string>(name: string, accepted: readonly T[]): T | null {
    return this.#value[name] === null ? null : this.oneOf(name, accepted);
  }

  /** The stored member as it is: what a store keeps is JSON. */
  object(name: string): JsonObject {
    const value = this.#value[name];
    if (!isJsonObject(value)) throw this.#corrupt(`"${name}" is no object`);
    return value;
  }

  objectOrNull(name: string): JsonObject | null {
    return this.#value[name] === null ? null : this.object(name);
  }

  objects(name: string): readonly StoredObject[] {
    return this.#list(name).map((value) => new StoredObject(`${this.#what}: ${name}`, value));
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map((value) => {
      if (typeof value !== 'string') throw this.#corrupt(`"${name}" holds something that is no text`);
      return value;
    });
  }

  #list(name: string): readonly unknown[] {
    const value = this.#value[name];
    if (!Array.isArray(value)) throw this.#corrupt(`"${name}" is no list`);
    return value;
  }

  #corrupt(found: string): LokiError {
    return new LokiError('store.corrupt', { attempted: `read a stored ${this.#what}`, found });
  }
}

/** Objects out of a store are JSON all the way down: the store's own reader has seen to that. */
function isJsonObject(value: unknown): value is JsonObject {
  return isPlainObject(value);
}
