/** `loki audit count`. */
import { exitCode } from '../../lib/errors.ts';
import { agentActions } from '../../lib/audit/agent-chain.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { agentLines } from '../agent-log.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns } from '../output.ts';

export const command: Command = {
  about: 'Counts what agents did in this project, from the project\'s agent chain.',
  operands: [],
  flags: [{ name: 'action', kind: 'text', value: 'ACTION', summary: 'Only this action', choices: agentActions }],
  examples: [['loki audit count', ''], ['loki audit count --action file_write', 'only files written'], ['loki audit count --json', 'as {"total", "by_action"}']],
  exits: [],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const { layout } = requireProject(installation);
  const counts = new Map<string, number>();
  for (const { action } of agentLines(installation.host.disk, layout.logs, args.text('action'))) counts.set(action, (counts.get(action) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const known = agentActions.flatMap((action) => [[action, counts.get(action) ?? 0] as const]).filter(([, count]) => count > 0);
  if (output.json) output.value({ total, by_action: Object.fromEntries(known) });
  else {
    output.line(`${total} ${total === 1 ? 'action' : 'actions'}`);
    for (const line of columns(known.map(([action, count]) => [`  ${action}`, String(count)]))) output.line(line);
  }
  return Promise.resolve(exitCode.done);
}
