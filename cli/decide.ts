/** Approving and rejecting: shows what is asked, asks for the fresh proof where one is needed, decides. */
import { exitCode, LokiError } from '../lib/errors.ts';
import type { Installation } from '../lib/app/installation.ts';
import type { ApprovalOutcome, ApprovalView } from '../lib/approvals/approval.ts';
import { atTerminal } from '../lib/approvals/proof.ts';
import { textOfDecision, type DecideRequest } from '../lib/approvals/steps.ts';
import { approvalLines } from './approval-words.ts';
import type { CommandContext, FlagRow, OperandRow } from './command.ts';
import { confirm, yesFlag } from './confirm.ts';
import { actorOf, open } from './open.ts';
import { withParts } from './parts.ts';
import { asFlag, askProof, type Proven } from './proof.ts';

export const decideOperands: readonly OperandRow[] = [{ name: 'ID', summary: 'The approval, apr_…', required: true }];

export const decideFlags: readonly FlagRow[] = [
  { name: 'reason', kind: 'text', value: 'TEXT', summary: 'Why; it is recorded' }, yesFlag, asFlag,
  { name: 'print-proof', kind: 'switch', summary: 'Decide nothing; print the signed decision, to be sent to the API within two minutes' },
];

/** Decides one approval and answers with the exit code. */
export async function decide(context: CommandContext, outcome: ApprovalOutcome): Promise<number> {
  const { args, output } = context;
  const id = args.operand('ID') ?? '';
  const installation = open(context);
  return withParts(installation, async ({ approvals }) => {
    const before = await approvals.get(id);
    if (before === undefined) throw new LokiError('not_found', { attempted: `${outcome} ${id}`, found: 'there is no such approval', hint: 'List them with: loki approvals' });
    // Whoever is asked must see what about, --quiet or not.
    const show = args.on('yes') ? output.note : output.message;
    for (const line of approvalLines(before)) show(line);
    const request = await requestOf(context, installation, { outcome, before });
    if (request === undefined) return exitCode.failed;
    if (args.on('print-proof')) return printProof(context, request);
    const view = await approvals.decide(request);
    if (output.json) output.value(view);
    else if (view.status === 'pending') output.line(`${id}: noted; ${view.required} people must approve, and ${view.decisions.length} did`);
    else output.line(`${id}: ${view.status}`);
    return exitCode.done;
  });
}

interface Matter {
  readonly outcome: ApprovalOutcome;
  readonly before: ApprovalView;
}

/** The decision with its proof; undefined when the person thought better of it. */
async function requestOf(context: CommandContext, installation: Installation, { outcome, before }: Matter): Promise<DecideRequest | undefined> {
  const { args } = context;
  const override = outcome === 'reject' && args.on('override');
  // Who speaks as somebody else than the account must prove it, whatever they say.
  const isProofNeeded = outcome === 'approve' || override || args.on('print-proof') || args.text('as') !== undefined;
  const question = `${outcome === 'approve' ? 'Approve' : 'Reject'} this?`;
  const proof = await (isProofNeeded ? askProof(context, installation, { question, attempted: `${outcome} ${before.id}` }) : askNo(context, installation, question, before.id));
  if (proof === undefined) return undefined;
  const reason = args.text('reason') ?? await askReason(context, args.on('yes'));
  const said = { id: before.id, outcome, by: proof.by, ...(reason === undefined ? {} : { reason }), ...(override ? { override: true } as const : {}) };
  return { ...said, proof: proof.prove((at) => textOfDecision(before, said, at)) };
}

/** A no takes nothing but a confirmation: nobody gets anything by it. */
async function askNo(context: CommandContext, installation: Installation, question: string, id: string): Promise<Proven | undefined> {
  return await confirm(context, question, `reject ${id}`) ? { by: actorOf(installation), prove: atTerminal } : undefined;
}

/** Asked of a person who is there; an empty line gives none. */
async function askReason({ terminal }: CommandContext, isHurried: boolean): Promise<string | undefined> {
  if (isHurried || !terminal.inputIsTerminal) return undefined;
  const reason = (await terminal.ask('Why (recorded; may be empty)? '))?.trim();
  return reason === '' ? undefined : reason;
}

function printProof({ output }: CommandContext, { reason, override, by, proof }: DecideRequest): number {
  if (proof.kind !== 'approver_key') throw new LokiError('auth.proof', { attempted: 'print a proof', found: 'there is no approver key to sign with', hint: 'Make one with: loki approver create' });
  const { at, key, signature } = proof;
  output.value({ ...(reason === undefined ? {} : { reason }), ...(override === undefined ? {} : { override }), proof: { by, at, key, signature } });
  return exitCode.done;
}
