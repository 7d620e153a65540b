/** `loki trust`. */
import { exitCode } from '../../lib/errors.ts';
import { confirmCommands, trustState } from '../../lib/app/enrol.ts';
import { requireProject } from '../../lib/app/installation.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { open } from '../open.ts';
import { columns, printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: 'Shows the commands that the project\'s own configuration names (gates, a provider), and confirms them. They come with the repository, so none of them '
    + 'runs before a person has read it; any change of the list asks again.',
  operands: [],
  flags: [yesFlag, asFlag],
  examples: [['loki trust', 'read them, then say yes'], ['loki trust --json --yes', '']],
  exits: [[1, 'a person said no'], [3, 'the project is not as it was enrolled'], [4, 'a fresh proof is missing']],
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
    const proof = await askProof(context, installation, { question: 'Confirm that they may run?', attempted: 'confirm the commands' });
    if (proof === undefined) return exitCode.failed;
    await confirmCommands(installation, proof.by, proof.prove);
  }
  if (output.json) output.value({ commands, digest, confirmed: true });
  else if (commands.length === 0) output.line('The project\'s configuration names no command.');
  else output.line(confirmed ? `${commands.length} ${commands.length === 1 ? 'command is' : 'commands are'} confirmed already.` : 'Confirmed.');
  return exitCode.done;
}
