/** Approving and rejecting: shows what is asked, asks for the fresh proof, decides. */
import { exitCode, LokiError } from '../lib/errors.ts';
import type { ApprovalOutcome } from '../lib/approvals/approval.ts';
import { approvalLines } from './approval-words.ts';
import type { CommandContext, FlagRow, OperandRow } from './command.ts';
import { confirm, yesFlag } from './confirm.ts';
import { actorOf, open } from './open.ts';
import { withParts } from './parts.ts';

export const decideOperands: readonly OperandRow[] = [{ name: 'ID', summary: 'The approval, apr_…', required: true }];

export const decideFlags: readonly FlagRow[] = [{ name: 'reason', kind: 'text', value: 'TEXT', summary: 'Why; it is recorded' }, yesFlag];

/** Decides one approval and answers with the exit code. */
export async function decide(context: CommandContext, outcome: ApprovalOutcome): Promise<number> {
  const { args, output } = context;
  const id = args.operand('ID') ?? '';
  const reason = args.text('reason');
  const installation = open(context);
  return withParts(installation, async ({ approvals }) => {
    const before = await approvals.get(id);
    if (before === undefined) throw new LokiError('not_found', { attempted: `${outcome} ${id}`, found: 'there is no such approval', hint: 'List them with: loki approvals' });
    // Whoever is asked must see what about, --quiet or not.
    const show = args.on('yes') ? output.note : output.message;
    for (const line of approvalLines(before)) show(line);
    if (!await confirm(context, `${outcome === 'approve' ? 'Approve' : 'Reject'} this?`, `${outcome} ${id}`)) return exitCode.failed;
    const view = await approvals.decide({ id, outcome, by: actorOf(installation), proof: { kind: 'terminal' }, ...(reason === undefined ? {} : { reason }) });
    if (output.json) output.value(view);
    else if (view.status === 'pending') output.line(`${id}: noted; ${view.required} people must approve, and ${view.decisions.length} did`);
    else output.line(`${id}: ${view.status}`);
    return exitCode.done;
  });
}
