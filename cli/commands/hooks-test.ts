/** `loki hooks test`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { worstStatus } from '../../lib/app/doctor/doctor.ts';
import { agentSigns } from '../../lib/agents/settings/places.ts';
import { agentsHere, hookGround } from '../../lib/app/hooks/ground.ts';
import { tryHooks, type TrialReport } from '../../lib/app/hooks/try.ts';
import type { Command, CommandContext } from '../command.ts';
import { findingLines } from '../finding-words.ts';
import { agentOf, agentOperand } from '../hook-words.ts';
import { open } from '../open.ts';

export const command: Command = {
  about: 'Tries the hooks that are installed: runs the very command that stands in the settings, as the agent runs it, on a call that does nothing and on one that changes the policy, which nobody may. '
    + 'Looks at what the agent would do with the answer, finds both decisions in the log of record, and then breaks the hook on purpose (its program gone, words that are no answer) to see that the call is refused. '
    + 'No tool is used. The agent itself is not started: loki hooks status says whether it would run its hooks.',
  operands: [agentOperand],
  flags: [],
  examples: [['loki hooks test', 'every agent that has hooks'], ['loki hooks test claude --json', 'as {"status", "agents": [{agent, scope, path, trials: [{check, status, found, repair}]}]}']],
  exits: [[1, 'a hook does not do what it should']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const ground = hookGround(open(context));
  const named = agentOf(context);
  const reports: TrialReport[] = [];
  for (const agent of named.length > 0 ? named : agentsHere(ground)) reports.push(...await tryHooks(ground, agent));
  if (reports.length === 0) throw new LokiError('not_found', { attempted: 'test the hooks', found: `${named.map((agent) => agentSigns[agent].title).join('') || 'no agent that was found'} has none of ours`, hint: `Run: loki hooks install${named.map((agent) => ` ${agent}`).join('')}` });
  const status = worstStatus(reports.flatMap(({ trials }) => trials));
  if (output.json) output.value({ status, agents: reports });
  else reports.forEach((report, at) => tell(context, report, at));
  return status === 'fail' ? exitCode.failed : exitCode.done;
}

function tell({ output }: CommandContext, { agent, scope, trials }: TrialReport, at: number): void {
  output.line(`${at === 0 ? '' : '\n'}${output.out.paint('bold', agentSigns[agent].title)} (${scope} settings)`);
  const width = Math.max(...trials.map(({ check }) => check.length));
  for (const trial of trials) for (const line of findingLines(trial, width, output.out.paint)) output.line(line);
}
