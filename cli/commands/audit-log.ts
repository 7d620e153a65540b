/** `loki audit log`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { agentActions } from '../../lib/audit/agent-chain.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { agentLines, type AgentLine } from '../agent-log.ts';
import type { Command, CommandContext } from '../command.ts';
import { memberWords } from '../entries.ts';
import { open } from '../open.ts';
import { printable, type Look } from '../output.ts';

const usualCount = 20;
const mostCount = 1_000_000;

export const command: Command = {
  about: 'Prints what agents did in this project, the newest last, from the project\'s agent chain.',
  operands: [{ name: 'N', summary: `So many entries (${usualCount})` }],
  flags: [{ name: 'action', kind: 'text', value: 'ACTION', summary: 'Only this action', choices: agentActions }],
  examples: [
    ['loki audit log', `the last ${usualCount} actions`],
    ['loki audit log 100 --action git_commit', 'the last hundred commits'],
    ['loki audit log --json', 'entries as they stand in the chain, one a line'],
  ],
  exits: [],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const count = countOf(args.operand('N'));
  const installation = open(context);
  const { layout } = requireProject(installation);
  const entries: AgentLine[] = [];
  for (const entry of agentLines(installation.host.disk, layout.logs, args.text('action'))) {
    if (entries.length === count) break;
    entries.push(entry);
  }
  for (const entry of entries.reverse()) output.line(output.json ? JSON.stringify(entry) : lineOf(entry, output.out));
  if (entries.length === 0) output.note('No such action is recorded in this project.');
  return Promise.resolve(exitCode.done);
}

function countOf(text: string | undefined): number {
  if (text === undefined) return usualCount;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= mostCount) return count;
  throw new LokiError('usage', { attempted: 'run "loki audit log"', found: `N is a whole number from 1 to ${mostCount}, and was given "${text}"`, hint: 'See: loki audit log --help' });
}

function lineOf({ timestamp, action, agent, branch, details }: AgentLine, { paint }: Look): string {
  const words = memberWords(details);
  return `${paint('dim', printable(timestamp))}  ${paint('bold', printable(action).padEnd(13))}  ${printable(agent)}${branch === null ? '' : ` on ${printable(branch)}`}${words === '' ? '' : `  ${words}`}`;
}
