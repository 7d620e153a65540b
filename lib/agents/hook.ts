/**
 * What the hook interfaces of coding agents come to in our words. An adapter reads one agent's hook input as a `HookEvent` and
 * puts a `HookAnswer` into that agent's own bytes and exit code. Adapters are pure: they see neither disk nor clock, judge nothing and
 * record nothing. What they are given is hostile: it comes from a program that an agent can influence.
 */
import type { Action } from '../base/action.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';

/** The agents there is an adapter for. `generic` is our own interface and stands beside them. */
export type AgentName = 'claude' | 'codex' | 'gemini' | 'cursor' | 'copilot' | 'opencode';

/** A subagent that an event comes from or tells of. */
export interface Worker {
  readonly id: string;
  readonly type: string;
}

/** Tokens of one model since the last report, as the agent tells them. `input` leaves out what came from or went into a cache. */
export interface ReportedUsage {
  readonly model?: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** One call of a tool. */
export interface ToolCall {
  /** The agent's id of the call, where it gives one: what a result finds its decision by. */
  readonly id?: string;
  readonly tool: string;
  /** What the call would do; a patch of several files carries them in `also`. */
  readonly action: Action;
}

/** What a tool gave the model. */
export interface ToolOutput {
  /** All text in it. */
  readonly text: string;
  /** The output in the agent's own shape with each text changed; left out where the agent's interface replaces nothing. */
  readonly rewritten?: (change: (text: string) => string) => JsonValue;
}

/** How a call ended. */
export interface CallOutcome {
  readonly ok: boolean;
  /** A process's exit code. */
  readonly exit?: number;
  /** Length of the output in bytes. */
  readonly bytes?: number;
}

/** What every event tells. */
export interface EventBase {
  /** The agent's own name of the event: `PreToolUse`. */
  readonly event: string;
  readonly sessionId?: string;
  readonly cwd?: string;
  /** Set inside a subagent. */
  readonly worker?: Worker;
  /** The model, where the event names it. */
  readonly model?: string;
  /** How freely the agent works, in its own words: `acceptEdits`. */
  readonly mode?: string;
  /** File with the session's messages, written by the agent. */
  readonly transcript?: string;
}

/** One hook event, by what we do with it. */
export type HookEvent =
  /** A tool is about to be used: the answer decides. */
  | (EventBase & { readonly does: 'ask'; readonly call: ToolCall })
  /** A tool was used. */
  | (EventBase & { readonly does: 'result'; readonly call: ToolCall; readonly outcome: CallOutcome; readonly output?: ToolOutput })
  /** A person's words are about to be sent to the model: the answer decides. */
  | (EventBase & { readonly does: 'prompt'; readonly action: Action })
  /** The agent is about to read text that its tool does not show beforehand (a file): the answer decides. */
  | (EventBase & { readonly does: 'inspect'; readonly action: Action })
  /** Settings changed while the agent works: the answer decides whether they come into force. */
  | (EventBase & { readonly does: 'settings'; readonly source: string; readonly path?: string })
  | (EventBase & { readonly does: 'session.start'; readonly details: JsonObject })
  | (EventBase & { readonly does: 'session.stop'; readonly details: JsonObject })
  | (EventBase & { readonly does: 'spawn'; readonly worker: Worker })
  | (EventBase & { readonly does: 'complete'; readonly worker: Worker; readonly usage?: readonly ReportedUsage[] })
  | (EventBase & { readonly does: 'task.create'; readonly id: string; readonly title: string })
  | (EventBase & { readonly does: 'task.complete'; readonly id: string; readonly title: string })
  /** A turn has ended: its tokens can be counted. `usage`: where the event itself tells them. */
  | (EventBase & { readonly does: 'turn'; readonly usage?: readonly ReportedUsage[] })
  /** Known, and nothing is done about it. */
  | (EventBase & { readonly does: 'nothing' });

/** What an event is for. */
export type Doing = HookEvent['does'];

/** The events whose answer decides something. What goes wrong with them is a no; what goes wrong with the others stops nobody. */
export const decisive: ReadonlySet<Doing> = new Set<Doing>(['ask', 'prompt', 'inspect', 'settings']);

/** The answer to an event. */
export type HookAnswer =
  /** Go ahead. `note` is for the person at the agent: a warning. */
  | { readonly kind: 'allow'; readonly note?: string }
  /** Do not. The reason is told to the model. Never empty. */
  | { readonly kind: 'deny'; readonly reason: string }
  /** The agent shall ask the person who sits before it. Only where `asksNatively`. */
  | { readonly kind: 'ask'; readonly reason: string }
  /** The tool ran; the model gets `output`, in the agent's shape, in place of what the tool gave. */
  | { readonly kind: 'replace'; readonly output: JsonValue; readonly note: string }
  /** The tool ran; the model gets the reason in place of what the tool gave, as far as the agent can be made to. */
  | { readonly kind: 'hide'; readonly reason: string };

/** What a hook process writes and how it ends. */
export interface HookOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** What an adapter may know beside the event itself. */
export interface HookSurroundings {
  /** The event that the command was installed for, where the agent's input does not name it. */
  readonly event?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The adapter of one agent. */
export interface AgentAdapter {
  readonly name: AgentName;
  /** `Claude Code`. */
  readonly title: string;
  /** Reads what stood on standard input. Throws `action.invalid` with what is missing or wrong. */
  parse(input: unknown, surroundings: HookSurroundings): HookEvent;
  /** Whether the agent can ask the person before it about this event, and somebody is there to be asked. */
  asksNatively(event: HookEvent, surroundings: HookSurroundings): boolean;
  render(event: HookEvent, answer: HookAnswer): HookOutput;
  /** The no to an input that was not understood, or that nothing could be judged for: good for every event of this agent. */
  refuse(reason: string): HookOutput;
}
