/** `loki policy restore`. */
import { exitCode } from '../../lib/errors.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { restorePolicy } from '../../lib/app/restore.ts';
import type { Command, CommandContext } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Writes the project\'s policy back as it was enrolled, after it was deleted, stashed, checked out or edited. Until then everything is denied. '
    + 'What was edited meanwhile is lost; to accept the policy as it is now instead, run loki init.\n\n'
    + 'It brings back exactly what a person enrolled and nothing else, so a confirmation is enough.',
  operands: [],
  flags: [yesFlag],
  examples: [['loki policy restore', 'after git clean took the policy away']],
  exits: [[1, 'a person said no'], [3, 'there is nothing that could be brought back']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  if (!await confirm(context, `Write the policy of ${printable(project.dir)} back as it was enrolled?`, 'restore the policy')) return exitCode.failed;
  const restored = restorePolicy(installation, project);
  if (output.json) output.value(restored);
  else output.line(restored.written ? `${printable(restored.name)} is as it was enrolled again.` : `${printable(restored.name)} is as it was enrolled; nothing was written.`);
  return exitCode.done;
}
