/** `loki webhooks secret`. */
import { exitCode } from '../../lib/errors.ts';
import { provenRecorder } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { prepareHome } from '../../lib/app/installation.ts';
import { newestSecret, rotateSecret } from '../../lib/app/webhooks.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { open } from '../open.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: 'Shows the secret that messages to webhooks are signed with (Standard Webhooks, whsec_…), to be given to receivers; makes it when there is none. It is one for this installation. Who has it can make messages that look like ours, so it takes a fresh proof.',
  operands: [],
  flags: [{ name: 'rotate', kind: 'switch', summary: 'Make a new one; messages are signed with both until the next change' }, yesFlag, asFlag],
  examples: [['loki webhooks secret', 'to set up a receiver'], ['loki webhooks secret --rotate', 'receivers that know the old one go on working']],
  exits: [[4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const attempted = 'show the webhook secret';
  const proof = await askProof(context, installation, { question: args.on('rotate') ? 'Make a new webhook secret, and show it?' : 'Show the webhook secret?', attempted });
  if (proof === undefined) return exitCode.failed;
  prepareHome(installation);
  const log = openRecord(installation);
  try {
    if (args.on('rotate')) await rotateSecret(installation, provenRecorder(installation, log.record, proof, attempted), proof.by);
    const secret = newestSecret(installation);
    if (output.json) output.value({ secret });
    else output.line(secret);
    return exitCode.done;
  } finally {
    await log.close();
  }
}
