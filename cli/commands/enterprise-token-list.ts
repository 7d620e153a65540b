/** `loki enterprise token list`. */
import { exitCode } from '../../lib/errors.ts';
import { listTokens } from '../../lib/app/tokens.ts';
import type { Command, CommandContext } from '../command.ts';
import { tableOf } from '../objects/table.ts';
import { keyColumns } from '../objects/tokens.ts';
import { open } from '../open.ts';
import { worksHere } from '../token.ts';

export const command: Command = {
  about: `Lists the keys of the API, of the installation and of every tenant, in the order they were made: those that count, or all of them. None is shown with its token, which nobody has but its bearer.\n\n${worksHere}`,
  operands: [],
  flags: [{ name: 'all', short: 'a', kind: 'switch', summary: 'Also those that were revoked or have expired' }],
  examples: [['loki enterprise token list', ''], ['loki enterprise token list --all --json', 'as an array']],
  exits: [],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const keys = (await listTokens(open(context))).filter(({ state }) => args.on('all') || state === 'active');
  if (output.json) output.value(keys);
  else if (keys.length === 0) output.note('There is no such key. Make one with: loki enterprise token generate NAME --role ROLE');
  else {
    const { head, lines } = tableOf(keys, keyColumns, output.out);
    for (const line of [head, ...lines]) output.line(line);
  }
  return exitCode.done;
}
