/** What is put into each agent's settings: its events, each with our command, in the shape that the agent reads. Pure. */
import { sha256Hex } from '../../base/digest.ts';
import type { JsonObject } from '../../base/json.ts';
import { hookCommandLine, type HookCommand } from '../hook-command.ts';
import { askSeconds, hookEvents, type EventRow } from '../hook-events.ts';
import type { AgentName } from '../hook.ts';
import { httpEvents, httpHandler, type HttpFacts } from './http-hooks.ts';
import type { HookShape, WantedHook } from './json-hooks.ts';
import type { Scope } from './places.ts';

/** The facts that all commands of one installation share. */
export type HookFacts = Pick<HookCommand, 'program' | 'project' | 'flags' | 'env' | 'timeoutProgram'> & {
  /** Claude Code asks there about each call, and starts our program for the rest. */
  readonly http?: HttpFacts;
};

/** Agents whose settings are JSON. OpenCode has a plugin, see `opencode-plugin.ts`. */
export type JsonAgent = Exclude<AgentName, 'opencode'>;

export const hookShapes: Readonly<Record<JsonAgent, HookShape>> = {
  claude: { agent: 'claude', isGrouped: true, commandMember: 'command', scaffold: {} },
  codex: { agent: 'codex', isGrouped: true, commandMember: 'command', scaffold: {} },
  gemini: { agent: 'gemini', isGrouped: true, commandMember: 'command', scaffold: {} },
  cursor: { agent: 'cursor', isGrouped: false, commandMember: 'command', scaffold: { version: 1 } },
  copilot: { agent: 'copilot', isGrouped: false, commandMember: 'bash', scaffold: { version: 1 } },
};

/** The shape of the settings of the whole machine: only there Gemini takes a project's word that hooks are off for nothing. */
export function shapeIn(agent: JsonAgent, scope: Scope): HookShape {
  return agent === 'gemini' && scope === 'managed' ? { ...hookShapes.gemini, scaffold: { hooksConfig: { enabled: true } } } : hookShapes[agent];
}

/**
 * How long our program gets of the time that an agent gives a hook: it must have answered, or have been ended, before the agent
 * gives up, since several agents then go on as if the answer were yes.
 */
export function programSeconds(agentSeconds: number): number {
  return agentSeconds - (agentSeconds >= 60 ? 10 : agentSeconds >= 30 ? 5 : 2);
}

/** The command line for one event. */
export function commandFor(agent: AgentName, row: EventRow, { http: _http, ...facts }: HookFacts): string {
  const seconds = Math.max(1, programSeconds(row.seconds));
  return hookCommandLine({ agent, ...facts, flags: [...flagsFor(row, seconds), ...facts.flags ?? []], seconds, guard: row.guard });
}

/** Which event it is (Copilot's input does not say), and when our program gives up by itself: its no has words, that of `timeout` has none. */
function flagsFor({ event, seconds }: EventRow, ours: number): readonly string[] {
  return ['--event', event, ...(seconds < askSeconds ? ['--deadline', `${Math.max(1, ours - 2)}s`] : [])];
}

/** Flags of a command line without those that belong to its event. */
export function sharedFlags(flags: readonly string[]): readonly string[] {
  const own = flags[2] === '--deadline' ? 4 : 2;
  return flags[0] === '--event' ? flags.slice(own) : flags;
}

/** The hooks of an agent whose settings are JSON. */
export function wantedHooks(agent: JsonAgent, facts: HookFacts): readonly WantedHook[] {
  return hookEvents[agent].map((row) => ({ event: row.event, item: agent === 'claude' && facts.http !== undefined && httpEvents.has(row.event) ? { hooks: [httpHandler(row, facts.http)] } : itemFor(agent, row, commandFor(agent, row, facts)) }));
}

/** No matcher: every tool. */
function itemFor(agent: JsonAgent, { seconds, guard }: EventRow, command: string): JsonObject {
  const isClosed = guard === 'closed';
  switch (agent) {
    // Clients that know it block when the hook cannot be started or takes too long; older ones pass it over.
    case 'claude': return { hooks: [{ type: 'command', command, timeout: seconds, ...(isClosed ? { onFailure: 'block' } : {}) }] };
    case 'codex': return { hooks: [{ type: 'command', command, timeout: seconds }] };
    // A project's settings can leave out hooks by their names: this one nobody knows beforehand.
    case 'gemini': return { hooks: [{ name: `loki-${sha256Hex(command).slice(0, 12)}`, type: 'command', command, timeout: seconds * 1000 }] };
    case 'cursor': return { type: 'command', command, timeout: seconds, ...(isClosed ? { failClosed: true } : {}) };
    case 'copilot': return { type: 'command', bash: command, timeoutSec: seconds };
  }
}
