/**
 * The provider port: something that turns a prompt into an answer, usually a coding agent in a child process. A provider
 * says how a call ended; it does not judge, record or retry.
 */
import type { JsonObject } from '../base/json.ts';
import type { Phase } from './run.ts';

/** One call. */
export interface ProviderCall {
  readonly phase: Phase;
  readonly iteration: number;
  /** `agent` for the one that works, else the reviewer's name. */
  readonly role: string;
  readonly prompt: string;
  /** The id a reviewer must repeat in its verdict. */
  readonly review?: string;
  /** Aborting ends the call and everything it started. */
  readonly signal: AbortSignal;
  /** Each line of the answer as it comes. */
  readonly onLine: (line: string) => void;
}

/** Why a call brought no usable answer; `null` when it did. */
export type CallFailure = { readonly cause: 'exit' | 'signal' | 'time-out' | 'too much output' | 'garbage' | 'stopped'; readonly message: string } | null;

/** How a call ended. */
export interface CallEnd {
  readonly failure: CallFailure;
  readonly exit: number | null;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** The end of what it complained; not redacted. */
  readonly stderrTail: string;
  readonly durationMs: number;
}

export interface Provider {
  /** `command`, `scripted` … as in `--provider`. */
  readonly name: string;
  readonly model?: string;
  readonly region?: string;
  /** Said once when the run starts: what a person should know about this provider. */
  readonly notice?: string;
  /** What a process that takes the run up needs, to make this provider again: kept in the run. No secret. */
  readonly kept?: JsonObject;
  /** Throws `provider.missing` when it cannot be called. */
  assertReady(): void;
  /** Rejects only with `provider.missing`; every other failure is in `CallEnd`. */
  invoke(call: ProviderCall): Promise<CallEnd>;
}
