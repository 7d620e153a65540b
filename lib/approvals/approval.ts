/** An approval as the API, the command line and the log show it, and where approvals are kept. */
import { sha256Hex } from '../base/digest.ts';
import { canonicalJson } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';

/**
 * `expired` counts as a no: nobody decided in time, or what was approved was not done in time. `used`: it was approved, and the
 * action it was given for went ahead.
 */
export type ApprovalStatus = 'pending' | 'approved' | 'rejected' | 'expired' | 'used';

export const approvalStatuses: readonly ApprovalStatus[] = ['pending', 'approved', 'rejected', 'expired', 'used'];

export type ApprovalOutcome = 'approve' | 'reject';

/** What one person said. */
export type ApprovalDecision = {
  readonly by: string;
  readonly outcome: ApprovalOutcome;
  readonly reason: string | null;
  /** Kind of the fresh proof that came with it. */
  readonly proof: string;
  readonly at: string;
  /** The role they had, where they decided over the control plane. */
  readonly role?: string;
  /** With the proof `approver_key`: the signature, over the text of lib/approvals/statement.ts. */
  readonly signature?: DecisionSignature;
};

/** A signature of the approver key: its fingerprint, when it was made, and its base64. */
export type DecisionSignature = {
  readonly key: string;
  readonly at: string;
  readonly value: string;
};

/** What nobody's decision in time means. `approve` only where an organisation's policy says so. */
export type OnTimeout = 'reject' | 'approve';

/** One request for approval. Times are ISO 8601, UTC. */
export type ApprovalView = {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly project_id: string;
  readonly session_id: string;
  /** SHA-256 (hex) of the canonical action: what the approval is bound to, with the policy and the session. */
  readonly action_hash: string;
  readonly policy_digest: string;
  /** The rule that asks, and why. */
  readonly rule: string;
  readonly reason: string;
  /** The canonical action, secrets redacted. */
  readonly action: JsonObject;
  /** Who may decide: `role:…`, `user:…`; empty: anyone but the requester and agents. */
  readonly approvers: readonly string[];
  /** How many different people must approve. One rejection ends it. */
  readonly required: number;
  readonly on_timeout: OnTimeout;
  readonly requested_by: string;
  readonly created_at: string;
  /** Undecided by then means no. */
  readonly expires_at: string;
  /** Milliseconds between the two, also when the clock is set in between. */
  readonly timeout_ms: number;
  readonly decisions: readonly ApprovalDecision[];
  readonly decided_at: string | null;
  /** An approval that is not used by then expires. */
  readonly use_before: string | null;
  readonly used_at: string | null;
  /** Why it ended, where that was no person's word. */
  readonly ended_because?: string;
};

/** Whether nothing more can happen to it. */
export function isOver({ status }: ApprovalView): boolean {
  return status !== 'pending' && status !== 'approved';
}

/** Where approvals are kept in the store. */
export const approvalKeys = {
  approval: (id: string): string => `approvals/${id}`,
  approvals: 'approvals/',
  /** Present while the approval is pending, or approved and not used: found without reading those that are over. */
  open: (id: string): string => `approvals-open/${id}`,
  opens: 'approvals-open/',
  /** Where its webhook leads: kept apart, because such an address may hold a secret and an approval is shown. */
  webhook: (id: string): string => `approval-webhooks/${id}`,
  /** Names the newest approval for one action under one policy in one session. */
  binding: (binding: ApprovalBinding): string => `approval-bindings/${sha256Hex(canonicalJson([binding.sessionId, binding.policyDigest, binding.actionHash]))}`,
} as const;

/** On whose word an approval may be used: what the policy says now, whatever is kept. */
export interface ApprovalTerms {
  /** `role:…`, `user:…`; empty: anyone but the requester and agents. */
  readonly approvers: readonly string[];
  /** How many different people must approve. */
  readonly required: number;
  /** `reject` when left out. */
  readonly onTimeout?: OnTimeout;
}

/** What an approval is good for, and for nothing else. */
export interface ApprovalBinding {
  readonly actionHash: string;
  readonly policyDigest: string;
  readonly sessionId: string;
}
