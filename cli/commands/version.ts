/** `loki version`. */
import type { Command, CommandContext } from '../command.ts';
import { version } from '../../lib/app/version.ts';

export const command: Command = {
  about: 'Prints the version of this installation.',
  operands: [],
  flags: [],
  examples: [['loki version', ''], ['loki version --json', 'as {"version": "…"}']],
  exits: [],
  run,
};

function run({ output }: CommandContext): Promise<number> {
  if (output.json) output.value({ version });
  else output.line(`loki ${version}`);
  return Promise.resolve(0);
}
