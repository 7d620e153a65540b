/**
 * The provider port: something that turns a prompt into an answer, usually a coding agent in a child process. A provider
 * says how a call ended; it does not judge, record or retry.
 */
import type { JsonObject } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
import type { AgentMessage } from './answer.ts';
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
  /** The span of this call: what is started in it works in that. */
  readonly span: SpanContext;
  /** Aborting ends the call and everything it started. */
  readonly signal: AbortSignal;
  /** Each line of the answer as it comes, from a program that prints our messages. */
  readonly onLine: (line: string) => void;
  /** A line that a model said, where the provider can tell: it may name tasks and give verdicts, and reports no usage and no action. */
  readonly onWords: (line: string) => void;
  /** What the provider itself knows: usage, warnings. */
  readonly onMessage: (message: AgentMessage) => void;
  /** A call of a tool, when it began and when it ended. */
  readonly onTool: (use: ToolUse) => void;
}

/** A call of a tool as the agent's stream shows it. */
export type ToolUse =
  | { readonly state: 'began'; readonly id: string; readonly tool: string; readonly target: string }
  /** `acted`: something was done, so that a decision of the gate must stand behind it. */
  | { readonly state: 'ended'; readonly id: string; readonly tool: string; readonly target: string; readonly ok: boolean; readonly acted: boolean; readonly error: string };

/** Why a call brought no usable answer; `null` when it did. `lasting`: it would fail the same way again. */
export type CallFailure = { readonly cause: 'exit' | 'signal' | 'time-out' | 'too much output' | 'garbage' | 'stopped'; readonly message: string; readonly lasting?: true } | null;

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
  /**
   * It shows each call of a tool, and so each can be held against the log of record. `ids`: the calls bear the ids that their
   * decisions bear; `counts`: they can only be counted.
   */
  readonly shows?: 'ids' | 'counts';
  /** Throws `provider.missing` when it cannot be called. */
  assertReady(): void;
  /** Rejects only with `provider.missing`; every other failure is in `CallEnd`. */
  invoke(call: ProviderCall): Promise<CallEnd>;
  /** Takes away what it put down for the session. Never throws. */
  close?(): void;
}
