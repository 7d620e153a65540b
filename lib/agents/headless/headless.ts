/**
 * Coding agents without a person before them: how one is started for one call so that it asks our gate before each tool, and
 * what its stream of JSON lines says in our words. Everything here is pure: tables and functions of texts. What is started is
 * told the prompt on standard input, because a list of processes shows arguments to everybody.
 */
import type { AgentName, ReportedUsage } from '../hook.ts';

/** The agents that `loki start` can drive, in the order they are looked for. */
export type HeadlessName = Extract<AgentName, 'claude' | 'codex' | 'gemini' | 'opencode'>;

/** One hook as it goes into an agent's settings. */
export interface HookEntry {
  readonly event: string;
  /** For `sh -c`. */
  readonly command: string;
  /** The agent's own time limit. */
  readonly seconds: number;
  readonly guard: 'closed' | 'open';
}

/** What one call is to be. */
export interface HeadlessCall {
  /** Whether it may change anything. Planning and reviewing may not. */
  readonly writes: boolean;
  readonly model?: string;
  readonly hooks: readonly HookEntry[];
  /** A directory of this session's own, outside the project. Not there before something is put into it. */
  readonly room: string;
  /** The environment it is going to have, as far as it stands. */
  readonly env: Readonly<Record<string, string>>;
  /** The text of a plugin that asks the gate, for an agent that takes plugins. */
  readonly plugin?: string;
  /** The text of a file; undefined when there is none. */
  readonly read: (path: string) => string | undefined;
}

/** How it is started. */
export interface HeadlessStart {
  readonly args: readonly string[];
  /** Added to the environment, in place of what is there. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that must stand in the room, by their paths in it. */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  /** A directory whose entries are to show in the room under `at`, but for those that `files` puts there. */
  readonly mirror?: { readonly from: string; readonly at: string };
  /** Words before the prompt. */
  readonly preface?: string;
}

/** What a stream says, in our words. */
export type StreamEvent =
  /** Words of the agent that works, not of one that it started. `partial`: more of the same line may follow. */
  | { readonly type: 'text'; readonly text: string; readonly partial?: true }
  /** `target`: the file, the command, the address. */
  | { readonly type: 'began'; readonly id: string; readonly tool: string; readonly target: string }
  /** `acted`: something was done, for which the gate must have been asked. A call that was refused, or whose tool does not exist, did nothing. */
  | { readonly type: 'ended'; readonly id: string; readonly ok: boolean; readonly acted: boolean; readonly error?: string }
  /** Used since the last such event. */
  | { readonly type: 'usage'; readonly usage: ReportedUsage }
  /** Worth knowing, and no failure. */
  | { readonly type: 'note'; readonly message: string }
  /** `lasting`: a second try would end the same way. */
  | { readonly type: 'failed'; readonly message: string; readonly lasting: boolean }
  /** The agent says that it is done. */
  | { readonly type: 'done' };

/** Reads one call's stream. Never throws. */
export interface StreamReader {
  read(line: string): readonly StreamEvent[];
  /** Lines that were none of this agent's. */
  readonly strange: number;
}

/** Variables of our own environment that an agent needs to reach its model. */
export interface EnvironmentRow {
  readonly names: readonly string[];
  /** Handed down only where this one is set and not off. */
  readonly when?: string;
}

/** One agent. */
export interface HeadlessAgent {
  readonly name: HeadlessName;
  /** `Claude Code`. */
  readonly title: string;
  readonly program: string;
  /** How a person gets it. */
  readonly install: string;
  readonly environment: readonly EnvironmentRow[];
  /** Whether the ids of calls in the stream are those that hooks are told. Otherwise calls and decisions are counted against each other. */
  readonly sameIds: boolean;
  start(call: HeadlessCall): HeadlessStart;
  reader(): StreamReader;
  /** What an exit code means beside "it failed". */
  readonly exits: Readonly<Record<number, { readonly message: string; readonly lasting: boolean }>>;
}
