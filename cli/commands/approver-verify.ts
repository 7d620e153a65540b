/** `loki approver verify`. */
import { exitCode } from '../../lib/errors.ts';
import { verifyProofs, type ProofReport } from '../../lib/app/approver-verify.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';

export const command: Command = {
  about: 'Checks the signatures of approver keys in the log of record: of every decision about an approval, and of every enrolment, erasure and other act that needed a fresh proof. It says who stood behind what. '
    + 'Whether entries were changed, removed or added is said by loki audit verify.',
  operands: [],
  flags: [],
  examples: [['loki approver verify', ''], ['loki approver verify --json', 'as {"signed", "confirmed", "wrong": [{seq, event, actor, found}]}']],
  exits: [[6, 'a signature does not hold']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const report = await verifyProofs(openToLook(context));
  if (output.json) output.value(report);
  else tell(report, output);
  return report.wrong.length === 0 ? exitCode.done : exitCode.tampered;
}

function tell({ signed, confirmed, wrong }: ProofReport, output: Output): void {
  for (const { seq, event, actor, found } of wrong) output.line(`${output.out.paint('red', 'FALSE')}  ${seq}  ${event}  ${printable(actor)}: ${printable(found)}`);
  output.line(`${signed} ${signed === 1 ? 'signature holds' : 'signatures hold'}, ${wrong.length} ${wrong.length === 1 ? 'does' : 'do'} not; ${confirmed} ${confirmed === 1 ? 'act was' : 'acts were'} confirmed at the terminal, without a key`);
}
