/** `loki logout`. */
import { exitCode } from '../../lib/errors.ts';
import { logout } from '../../lib/app/login.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Ends what loki login began: the key that it got is revoked and forgotten. A key that was given with --token is only forgotten.',
  operands: [],
  flags: [],
  examples: [['loki logout', '']],
  exits: [[8, 'the key is forgotten here, and could not be revoked there']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const ended = await logout(open(context));
  const unreached = ended?.unreached;
  if (output.json) output.value({ url: ended?.login.url ?? null, revoked: ended !== undefined && unreached === undefined });
  else output.line(ended === undefined ? 'Nobody is logged in.' : `Logged out at ${printable(ended.login.url)}`);
  if (unreached === undefined) return exitCode.done;
  output.warn(`The key was not revoked there: ${printable(unreached)}. It ends by itself${ended?.login.expiresAt === null || ended === undefined ? ' only if it was made with an end' : ` at ${ended.login.expiresAt}`}`);
  return exitCode.unreachable;
}
