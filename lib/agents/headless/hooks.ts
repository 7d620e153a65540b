/** The hooks of one agent for one run: every event it is asked about, with the command line that asks our gate. */
import { hookEvents } from '../hook-events.ts';
import { commandFor, type HookFacts } from '../settings/wanted.ts';
import type { HeadlessName, HookEntry } from './headless.ts';

export function hookEntries(agent: HeadlessName, facts: HookFacts): readonly HookEntry[] {
  return hookEvents[agent].map((row) => ({ ...row, command: commandFor(agent, row, facts) }));
}
