/** A request for approval as an agent's gate makes it. */
import type { ApprovalRequest } from '../../lib/approvals/approvals.ts';

export const push: ApprovalRequest = {
  actionHash: 'a'.repeat(64), policyDigest: 'p'.repeat(64), sessionId: 'ses_1', projectId: 'prj_1', rule: 'no-force-push', reason: 'a force push',
  action: { kind: 'exec', command: 'git push --force' }, approvers: [], required: 1, timeoutMs: 30 * 60_000, requestedBy: 'agent:claude',
};
