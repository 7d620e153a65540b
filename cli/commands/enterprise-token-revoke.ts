/** `loki enterprise token revoke`. */
import { exitCode } from '../../lib/errors.ts';
import { revokeTokens } from '../../lib/app/tokens.ts';
import type { Command, CommandContext } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { keyWords } from '../objects/tokens.ts';
import { actorOf, open } from '../open.ts';
import { printable } from '../output.ts';
import { keyOperand, keysMeant, tenantFlag, worksHere } from '../token.ts';

export const command: Command = {
  about: `Revokes a key: from now on its token does not count, whatever grace it had. By its name, all that count under it, an old token in its grace too; by its id that one alone. What it did stays told. It takes a confirmation and no passphrase: nobody gets anything by it, and it may be urgent.\n\n${worksHere}`,
  operands: [keyOperand],
  flags: [tenantFlag, yesFlag],
  examples: [['loki enterprise token revoke ci', 'shows it, and asks'], ['loki enterprise token revoke key_01J8Z3T5C6D7E8F9G0H1J2K3M4 --yes', 'one of them, by its id']],
  exits: [[1, 'a person said no']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const keys = await keysMeant(context, installation, 'revoke the key');
  const show = args.on('yes') ? output.note : output.message;
  for (const key of keys) show(printable(keyWords(key)));
  if (!await confirm(context, keys.length === 1 ? 'Revoke this key?' : `Revoke these ${keys.length} keys?`, 'revoke the key')) return exitCode.failed;
  const revoked = await revokeTokens(installation, actorOf(installation), keys);
  if (output.json) output.value(revoked);
  else for (const key of revoked) output.line(`Revoked the key ${printable(keyWords(key))}`);
  return exitCode.done;
}
