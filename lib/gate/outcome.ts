/** An outcome as an entry of the agent chain: which of the six actions it was, and what may be said about it. */
import type { JsonObject } from '../base/json.ts';
import type { Action } from '../base/action.ts';
import type { AgentAction, AgentEntry } from '../audit/agent-chain.ts';
import type { ActionOutcome } from './reply.ts';

/** Commands and paths are cut to this length. */
const longestText = 2000;

/** The entry, or undefined when the chain does not speak of this kind of action. `redact` takes secrets out of texts. */
export function agentEntryOf(outcome: ActionOutcome, result: JsonObject, agent: string, branch: string | null, redact: (text: string) => string): AgentEntry | undefined {
  const action = agentActionOf(outcome.action);
  if (action === undefined) return undefined;
  const { command, file_path } = outcome.action;
  // Cut last: half a secret is not recognised as one.
  const shown = (text: string): string => redact(text).slice(0, longestText);
  return {
    action, agent, branch,
    details: { ...(command === undefined ? {} : { command: shown(command) }), ...(file_path === undefined ? {} : { file_path: shown(file_path) }), ...result },
  };
}

function agentActionOf(action: Action): AgentAction | undefined {
  if (action.kind === 'fs.write') return 'file_write';
  if (action.kind === 'fs.delete') return 'file_delete';
  if (action.kind !== 'exec') return undefined;
  return /(?:^|[;&|]\s*)git\s+(?:-\S+\s+\S+\s+)*commit(?![\w-])/.test((action.command ?? '').slice(0, longestText)) ? 'git_commit' : 'cli_invoke';
}
