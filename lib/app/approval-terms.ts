/** What the approval gates of the policy ask for: who may answer, how many must, for how long, and where to tell of it. */
import type { ApprovalRequest } from '../approvals/approvals.ts';
import type { ApprovalGate } from '../policy/rules.ts';

export type GateTerms = Pick<ApprovalRequest, 'approvers' | 'required' | 'timeoutMs' | 'onTimeout' | 'webhook'>;

/**
 * The terms of all gates of one phase together, whichever layers they stand in: the strictest of each. Undefined when there is
 * no gate. The list of approvers and the webhook are those of the first gate that has one, the organisation's before others.
 */
export function termsOf(gates: readonly ApprovalGate[]): GateTerms | undefined {
  if (gates.length === 0) return undefined;
  const webhook = gates.find((gate) => gate.webhook !== undefined)?.webhook;
  return {
    approvers: gates.find(({ approvers }) => approvers.length > 0)?.approvers ?? [],
    required: Math.max(...gates.map(({ required }) => required)),
    timeoutMs: Math.min(...gates.map(({ timeoutMinutes }) => timeoutMinutes)) * 60_000,
    // The layer is asked again on purpose: a policy that is not the organisation's cannot be loaded with it either.
    onTimeout: gates.every(({ autoApproveOnTimeout, layer }) => autoApproveOnTimeout && layer === 'organisation') ? 'approve' : 'reject',
    ...(webhook === undefined ? {} : { webhook }),
  };
}
