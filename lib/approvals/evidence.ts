/**
 * Whether an approval that is kept as given really was. The store is a file of the user that agents run as: what it says is
 * held against what the policy asks for now, and, where an approver exists, against signatures that only the passphrase can
 * make. Nothing in the approval itself can make this easier.
 */
import type { ApprovalDecision, ApprovalTerms, ApprovalView } from './approval.ts';
import { isSignedBy } from './proof.ts';
import type { Approver } from './proof.ts';
import { assertMayDecide, textOfDecision } from './steps.ts';
import type { IsApprover } from './steps.ts';

export interface Measure extends ApprovalTerms {
  /** Those whose signatures count; none while no approver key exists. */
  readonly approverKeys: readonly Approver[];
  readonly isApprover: IsApprover;
  readonly nowMs: number;
  /** How long an approved action may take to be begun. */
  readonly executionMs: number;
  /** Whether the log of record has an action that this approval let through, since then. */
  readonly wasUsed: WasUsed;
}

/** `sinceMs`: milliseconds since the epoch. */
export type WasUsed = (id: string, sinceMs: number) => boolean;

/** Why an approval that is kept as given does not count; undefined when it does. */
export function whyNotGiven(view: ApprovalView, measure: Measure): string | undefined {
  const { approverKeys, onTimeout, nowMs, executionMs } = measure;
  if (onTimeout === 'approve' && nowMs >= Date.parse(view.created_at) + view.timeout_ms) return undefined;
  const required = Math.max(measure.required, view.required);
  const asked: ApprovalView = { ...view, approvers: measure.approvers };
  const given = view.decisions.filter((decision) => decision.outcome === 'approve' && mayDecide(asked, decision, measure));
  if (peopleIn(given) < required) return `it is kept as approved, and not by the ${required} who must approve`;
  if (approverKeys.length === 0) return undefined;
  const signed = given.filter((decision) => isSigned(view, decision, approverKeys));
  if (peopleIn(signed) < required) return 'it is kept as approved, and does not carry the signatures of approver keys that it must';
  // When it was signed cannot be changed: a yes that was used up is put back neither after its time nor within it.
  const newest = Math.max(...signed.map(({ signature }) => Date.parse(signature?.at ?? '')));
  if (nowMs >= newest + executionMs) return 'it is kept as approved, and its newest signature is too old';
  return measure.wasUsed(view.id, newest) ? 'it is kept as approved, and the log of record has the action that used it up' : undefined;
}

/** Two decisions of one owner count once. */
function peopleIn(decisions: readonly ApprovalDecision[]): number {
  return new Set(decisions.map(({ by }) => by)).size;
}

function mayDecide(view: ApprovalView, { by, role }: ApprovalDecision, { isApprover }: Measure): boolean {
  try {
    assertMayDecide(view, { by, ...(role === undefined ? {} : { role }) }, isApprover);
    return true;
  } catch {
    return false;
  }
}

function isSigned(view: ApprovalView, { by, reason, signature }: ApprovalDecision, approverKeys: readonly Approver[]): boolean {
  if (signature === undefined) return false;
  const { key, at, value } = signature;
  const said = { id: view.id, outcome: 'approve', by, ...(reason === null ? {} : { reason }) } as const;
  return isSignedBy(approverKeys, { key, at, signature: value }, by, (moment) => textOfDecision(view, said, moment));
}
