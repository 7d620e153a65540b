/** An approval in words. */
import type { ApprovalView } from '../lib/approvals/approval.ts';
import { memberWords } from './entries.ts';
import { printable } from './output.ts';

/** What is asked, by whom, why, and until when: everything a person needs to decide. */
export function approvalLines(view: ApprovalView): readonly string[] {
  const approvers = view.approvers.length === 0 ? 'anyone but the requester' : view.approvers.map(printable).join(', ');
  return [
    `${view.id}  ${view.status}`,
    `  action   ${memberWords({ action: view.action }).replace(/^action=/, '')}`,
    `  reason   ${printable(view.reason)} (rule ${printable(view.rule)})`,
    `  asked    by ${printable(view.requested_by)} at ${view.created_at}, in session ${printable(view.session_id)}`,
    `  expires  ${view.expires_at}`,
    `  needs    ${view.required} of ${approvers}`,
    ...view.decisions.map(({ by, outcome, reason, at }) => `  said     ${printable(by)}: ${outcome} at ${at}${reason === null || reason === '' ? '' : ` (${printable(reason)})`}`),
  ];
}
