/** `loki hooks status`. */
import { exitCode } from '../../lib/errors.ts';
import { worstStatus } from '../../lib/app/doctor/doctor.ts';
import { reportHooks, type AgentReport } from '../../lib/app/hooks/checks.ts';
import { hookGround } from '../../lib/app/hooks/ground.ts';
import type { Command, CommandContext } from '../command.ts';
import { agentOf, agentOperand } from '../hook-words.ts';
import { openToLook } from '../open.ts';
import { findingLines } from '../finding-words.ts';

export const command: Command = {
  about: 'Says of each coding agent that is found, or of the one named, whether its hooks are in force. An agent that leaves its hooks out says nothing: this looks whether they are installed and unchanged, '
    + 'whether the agent can read its settings, trusts them and has not switched them off, is of a version that heeds them, and what else stands between a call and the gate. Changes nothing.',
  operands: [agentOperand],
  flags: [],
  examples: [['loki hooks status', 'every agent that is found'], ['loki hooks status codex --json', 'as {"status", "agents": [{agent, title, installed, checks: [{check, about, status, found, repair}]}]}']],
  exits: [[0, 'all is well, or there are warnings only'], [1, 'some agent is not asked about']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const reports = await reportHooks(hookGround(openToLook(context)), agentOf(context));
  const status = worstStatus(reports.flatMap(({ checks }) => checks));
  if (output.json) output.value({ status, agents: reports });
  else if (reports.length === 0) output.line('No coding agent was found: neither its program on the PATH nor a folder of its settings.');
  else reports.forEach((report, at) => tell(context, report, at));
  return status === 'fail' ? exitCode.failed : exitCode.done;
}

function tell({ output }: CommandContext, { title, checks }: AgentReport, at: number): void {
  output.line(`${at === 0 ? '' : '\n'}${output.out.paint('bold', title)}`);
  const width = Math.max(...checks.map(({ check }) => check.length));
  for (const finding of checks) for (const line of findingLines(finding, width, output.out.paint)) output.line(line);
}
