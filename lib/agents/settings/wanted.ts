/** What is put into each agent's settings: its events, each with our command, in the shape that the agent reads. Pure. */
import type { JsonObject } from '../../base/json.ts';
import { hookCommandLine, type HookCommand } from '../hook-command.ts';
import { hookEvents, type EventRow } from '../hook-events.ts';
import type { AgentName } from '../hook.ts';
import type { HookShape, WantedHook } from './json-hooks.ts';

/** The facts that all commands of one installation share. */
export type HookFacts = Pick<HookCommand, 'program' | 'project' | 'flags' | 'env' | 'timeoutProgram'>;

/** Agents whose settings are JSON. OpenCode has a plugin, see `opencode-plugin.ts`. */
export type JsonAgent = Exclude<AgentName, 'opencode'>;

export const hookShapes: Readonly<Record<JsonAgent, HookShape>> = {
  claude: { agent: 'claude', isGrouped: true, commandMember: 'command', scaffold: {} },
  codex: { agent: 'codex', isGrouped: true, commandMember: 'command', scaffold: {} },
  gemini: { agent: 'gemini', isGrouped: true, commandMember: 'command', scaffold: {} },
  cursor: { agent: 'cursor', isGrouped: false, commandMember: 'command', scaffold: { version: 1 } },
  copilot: { agent: 'copilot', isGrouped: false, commandMember: 'bash', scaffold: { version: 1 } },
};

/**
 * How long our program gets of the time that an agent gives a hook: it must have answered, or have been ended, before the agent
 * gives up, since several agents then go on as if the answer were yes.
 */
export function programSeconds(agentSeconds: number): number {
  return agentSeconds - (agentSeconds >= 60 ? 10 : agentSeconds >= 30 ? 5 : 2);
}

/** The command line for one event. */
export function commandFor(agent: AgentName, { event, seconds, guard }: EventRow, facts: HookFacts): string {
  const ours = Math.max(1, programSeconds(seconds));
  // It says no by itself before it is ended, so that the reason reaches the agent; and where nothing ends it.
  const flags = [...(facts.flags ?? []), '--deadline', `${Math.max(1, ours - 2)}s`, ...(namesNoEvent.has(agent) ? ['--event', event] : [])];
  return hookCommandLine({ agent, ...facts, flags, seconds: ours, guard });
}

/** Agents whose hook inputs do not say which event they are of. */
const namesNoEvent: ReadonlySet<AgentName> = new Set<AgentName>(['copilot']);

/** The hooks of an agent whose settings are JSON. */
export function wantedHooks(agent: JsonAgent, facts: HookFacts): readonly WantedHook[] {
  return hookEvents[agent].map((row) => ({ event: row.event, item: itemFor(agent, row, commandFor(agent, row, facts)) }));
}

/** No matcher: every tool. */
function itemFor(agent: JsonAgent, { seconds, guard }: EventRow, command: string): JsonObject {
  const isClosed = guard === 'closed';
  switch (agent) {
    // Clients that know it block when the hook cannot be started or takes too long; older ones pass it over.
    case 'claude': return { hooks: [{ type: 'command', command, timeout: seconds, ...(isClosed ? { onFailure: 'block' } : {}) }] };
    case 'codex': return { hooks: [{ type: 'command', command, timeout: seconds }] };
    case 'gemini': return { hooks: [{ name: 'loki', type: 'command', command, timeout: seconds * 1000 }] };
    case 'cursor': return { type: 'command', command, timeout: seconds, ...(isClosed ? { failClosed: true } : {}) };
    case 'copilot': return { type: 'command', bash: command, timeoutSec: seconds };
  }
}
