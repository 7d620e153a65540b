/** `loki trust`. */
import { exitCode } from '../../lib/errors.ts';
import { confirmCommands, trustState } from '../../lib/app/enrol.ts';
import { requireProject } from '../../lib/app/installation.ts';
import type { Command, CommandContext } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { actorOf, open } from '../open.ts';
import { columns, printable } from '../output.ts';

export const command: Command = {
  about: 'Shows the commands that the project\'s own configuration names (gates, a provider), and confirms them. They come with the repository, so none of them '
    + 'runs before a person has read it; any change of the list asks again.',
  operands: [],
  flags: [yesFlag],
  examples: [['loki trust', 'read them, then say yes'], ['loki trust --json --yes', '']],
  exits: [[1, 'a person said no'], [3, 'the project is not as it was enrolled']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  const { commands, digest, confirmed } = trustState(installation);
  const rows = columns(commands.map(({ what, command: line }) => [`  ${printable(what)}`, printable(line)]));
  if (!confirmed) {
    output.note(`The configuration of ${printable(project.dir)} names these commands:`);
    for (const row of rows) output.note(row);
    if (!await confirm(context, 'Confirm that they may run?', 'confirm the commands')) return exitCode.failed;
    await confirmCommands(installation, actorOf(installation));
  }
  if (output.json) output.value({ commands, digest, confirmed: true });
  else if (commands.length === 0) output.line('The project\'s configuration names no command.');
  else output.line(confirmed ? `${commands.length} ${commands.length === 1 ? 'command is' : 'commands are'} confirmed already.` : 'Confirmed.');
  return exitCode.done;
}
