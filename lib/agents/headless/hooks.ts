/** The hooks of one agent for one run: every event it is asked about, with the command line that asks our gate. */
import { hookCommandLine, type HookCommand } from '../hook-command.ts';
import { hookEvents } from '../hook-events.ts';
import type { HeadlessName, HookEntry } from './headless.ts';

/** What all commands of a run share. */
export type RunHooks = Pick<HookCommand, 'program' | 'project' | 'env' | 'timeoutProgram'>;

export function hookEntries(agent: HeadlessName, facts: RunHooks): readonly HookEntry[] {
  return hookEvents[agent].map(({ event, guard, seconds }) => ({
    event, guard, seconds, command: hookCommandLine({ agent, ...facts, guard, seconds: programSeconds(seconds) }),
  }));
}

/** Our program answers, or is ended, before the agent gives up waiting: several agents then go on as if the answer were yes. */
function programSeconds(agentSeconds: number): number {
  return agentSeconds - (agentSeconds >= 60 ? 10 : agentSeconds >= 30 ? 5 : 2);
}
