/** `loki approver status`. */
import { exitCode } from '../../lib/errors.ts';
import { approverPlace, approversOf } from '../../lib/app/approver.ts';
import { readSealedKey } from '../../lib/approvals/approver-key.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { columns, printable } from '../output.ts';
import { proofWords } from '../proof-words.ts';

export const command: Command = {
  about: 'Shows which proof is in force, and the approver keys with their fingerprints. Whoever compares a fingerprint with the one they were told knows that the key was not exchanged.',
  operands: [],
  flags: [],
  examples: [['loki approver status', ''], ['loki approver status --json', 'as {"proof", "approvers": [{key, public, owner, created_at, sealed_here}]}']],
  exits: [],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = openToLook(context);
  const approvers = approversOf(installation);
  const rows = approvers.map((approver) => ({ approver, isHere: readSealedKey(approverPlace(installation), approver) !== undefined }));
  if (output.json) {
    output.value({
      proof: approvers.length === 0 ? 'terminal' : 'approver_key',
      approvers: rows.map(({ approver: { key, publicKey, owner, createdAt }, isHere }) => ({ key, public: Buffer.from(publicKey).toString('base64'), owner, created_at: createdAt, sealed_here: isHere })),
    });
    return exitCode.done;
  }
  output.line(`Proof in force: ${proofWords(approvers)}`);
  for (const line of columns(rows.map(({ approver: { key, owner, createdAt }, isHere }) => [`  ${printable(owner)}`, key, `since ${createdAt}`, isHere ? '' : 'kept elsewhere']))) output.line(line.trimEnd());
  return exitCode.done;
}
