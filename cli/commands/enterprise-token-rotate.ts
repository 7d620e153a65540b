/** `loki enterprise token rotate`. */
import { exitCode } from '../../lib/errors.ts';
import { rotateToken } from '../../lib/app/tokens.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { keyWords, tellToken } from '../objects/tokens.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';
import { keyOperand, keyToRotate, tenantFlag, worksHere } from '../token.ts';

export const command: Command = {
  about: `Makes a new token in place of the old one, with the same name and rights. It is printed on stdout, once, and everything else on stderr. The old one goes on working for --grace, so that it can be exchanged where it is used; loki enterprise token revoke with its id ends it earlier. It takes a fresh proof, as making a key does.\n\n${worksHere}`,
  operands: [keyOperand],
  flags: [{ name: 'grace', kind: 'duration', value: 'TIME', summary: 'How long the old token goes on working (24h); at most 30d' }, tenantFlag, yesFlag, asFlag],
  examples: [['loki enterprise token rotate ci', ''], ['loki enterprise token rotate ci --grace 0s', 'the old one ends at once']],
  exits: [[1, 'a person said no, or the key does not count any more'], [4, 'a fresh proof is missing']],
  run,
};

const hourMs = 3_600_000;
const usualGraceMs = 24 * hourMs;

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const key = await keyToRotate(context, installation, 'rotate the key');
  const attempted = `rotate the key "${printable(String(key['name']))}"`;
  (args.on('yes') ? output.note : output.message)(printable(keyWords(key)));
  const proof = await askProof(context, installation, { question: 'Make a new token in its place?', attempted });
  if (proof === undefined) return exitCode.failed;
  const graceMs = args.number('grace') ?? usualGraceMs;
  tellToken(context, await rotateToken(installation, proof, key, graceMs / hourMs), 'Made');
  output.note(graceMs === 0 ? 'The old token does not count any more.' : `The old token ends by itself; to end it now: loki enterprise token revoke ${printable(String(key['id']))}`);
  return exitCode.done;
}
