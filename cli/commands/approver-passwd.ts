/** `loki approver passwd`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { approverFor, changePassphrase } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { askNewPassphrase, askUnseen } from '../passphrase.ts';
import { asFlag, assertTerminal, deciderOf } from '../proof.ts';

export const command: Command = {
  about: 'Seals the approver key under another passphrase. The key stays the same, and so does every signature of it. Copies of the file under the old passphrase can still be opened with that: destroy them, or make another key with loki approver create --replace.',
  operands: [],
  flags: [asFlag],
  examples: [['loki approver passwd', 'asks for the old one, then twice for the new one']],
  exits: [[4, 'no terminal to type a passphrase at, or a wrong one']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output, terminal } = context;
  const attempted = 'change the passphrase';
  assertTerminal(context, attempted);
  const installation = open(context);
  const approver = approverFor(installation, deciderOf(context, installation), attempted);
  if (approver === undefined) throw new LokiError('not_found', { attempted, found: 'there is no approver key', hint: 'Make one with: loki approver create' });
  const from = await askUnseen(terminal, `Passphrase of ${approver.owner} (empty: no): `, attempted);
  if (from === undefined) return exitCode.failed;
  const to = await askNewPassphrase(context, `the approver key of ${approver.owner}`, attempted);
  if (to === undefined) return exitCode.failed;
  const log = openRecord(installation);
  try {
    const changed = await changePassphrase(installation, log.record, approver, { from, to });
    if (changed === undefined) throw new LokiError('auth.proof', { attempted, found: 'the old passphrase is wrong', hint: 'Run the command again' });
  } finally {
    await log.close();
  }
  if (output.json) output.value({ key: approver.key, owner: approver.owner });
  else output.line('The passphrase is changed.');
  return exitCode.done;
}
