/**
 * The legal moves of an approval, as pure functions from one state to the next. Who asked never decides, no agent ever
 * does, one rejection ends it, and time only ever takes away: nothing here extends a deadline.
 */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { ApprovalDecision, ApprovalOutcome, ApprovalView } from './approval.ts';
import type { ApprovalEvent, ApprovalEventName } from './ports.ts';
import type { FreshProof } from './proof.ts';
import { decisionText } from './statement.ts';
import type { StatedOutcome } from './statement.ts';

/** The next state, and what the log says about it. */
export type Step = {
  readonly view: ApprovalView;
  readonly event: ApprovalEvent;
};

/** Whether somebody, with the role they have if any, is on a list of approvers that is not empty. */
export type IsApprover = (by: string, approvers: readonly string[], role?: string) => boolean;

/** A decision as it comes in. */
export interface DecideRequest {
  readonly id: string;
  readonly outcome: ApprovalOutcome;
  /** `user:name` or `token:name`. */
  readonly by: string;
  /** The role they have on the control plane, where they decide over it. */
  readonly role?: string;
  readonly reason?: string;
  readonly proof: FreshProof;
  /** What the log calls the request that it came in, over the API. */
  readonly requestId?: string;
  /** A no that also takes back a yes which has not been used; from somebody who need not be on the list. */
  readonly override?: true;
}

/** What a decision says, for its signature. */
export function statedOutcome({ outcome, override }: Pick<DecideRequest, 'outcome' | 'override'>): StatedOutcome {
  return outcome === 'reject' && override === true ? 'override' : outcome;
}

/** The text that a decision's proof is over. */
export function textOfDecision(view: ApprovalView, request: Omit<DecideRequest, 'proof'>, at: string): string {
  return decisionText(view, { outcome: statedOutcome(request), by: request.by, reason: request.reason ?? null, at });
}

/** A clock that stands this much before the decision was set back: how old the approval is can then not be told. */
const toleratedSetBackMs = 60_000;

const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The first state. */
export function requested(view: ApprovalView): Step {
  const { rule, reason, action, approvers, required, on_timeout, expires_at } = view;
  return { view, event: eventOf(view, 'approval.request', view.requested_by, { rule, reason, action, approvers, required, on_timeout, expires_at }) };
}

/** Whether time has run out for a pending approval. */
export function isOverdue(view: ApprovalView, nowMs: number): boolean {
  return view.status === 'pending' && nowMs >= Date.parse(view.expires_at);
}

/** Milliseconds for which an approved action may still be done: 0 when it is too late, or when the clock cannot tell. */
export function usableForMs(view: ApprovalView, nowMs: number): number {
  if (view.status !== 'approved' || view.use_before === null || view.decided_at === null) return 0;
  if (nowMs < Date.parse(view.decided_at) - toleratedSetBackMs) return 0;
  return Math.max(0, Date.parse(view.use_before) - nowMs);
}

/**
 * The end that time has brought, if it has: nobody decided, or what was approved was not done. `late` says that a pending one
 * is overdue by another measure than the clock.
 */
export function timeUp(view: ApprovalView, nowMs: number, late: boolean, executionMs: number): Step | undefined {
  if (view.status === 'pending' && (late || isOverdue(view, nowMs))) {
    if (view.on_timeout === 'approve') return approvedByTime(view, nowMs, executionMs);
    const next: ApprovalView = { ...view, status: 'expired', decided_at: notBefore(view, nowMs) };
    return { view: next, event: eventOf(next, 'approval.expire', 'system', { rule: view.rule, cause: 'nobody decided in time', timeout_ms: view.timeout_ms }) };
  }
  if (view.status !== 'approved' || usableForMs(view, nowMs) > 0) return undefined;
  const next: ApprovalView = { ...view, status: 'expired' };
  return { view: next, event: eventOf(next, 'approval.expire', 'system', { rule: view.rule, cause: 'approved and not used in time', use_before: view.use_before }) };
}

/** Nobody decided, and the organisation's policy says that this is a yes. */
function approvedByTime(view: ApprovalView, nowMs: number, executionMs: number): Step {
  const at = notBefore(view, nowMs);
  const because = 'nobody decided in time, and the organisation\'s policy says auto_approve_on_timeout';
  const next: ApprovalView = { ...view, status: 'approved', decided_at: at, use_before: isoTime(Date.parse(at) + executionMs), ended_because: because };
  return { view: next, event: eventOf(next, 'approval.approve', 'system', { rule: view.rule, cause: because, timeout_ms: view.timeout_ms, approvals: approvalsIn(view), required: view.required }) };
}

function approvalsIn({ decisions }: ApprovalView): number {
  return decisions.filter(({ outcome }) => outcome === 'approve').length;
}

/** What is kept as approved has not what it takes: a no, and the end of it. */
export function disowned(view: ApprovalView, because: string): Step {
  const next: ApprovalView = { ...view, status: 'rejected', ended_because: because };
  return { view: next, event: eventOf(next, 'approval.reject', 'system', { rule: view.rule, cause: because, decisions: view.decisions.map((each) => ({ ...each })) }) };
}

/** The action goes ahead. */
export function used(view: ApprovalView, nowMs: number): ApprovalView {
  return { ...view, status: 'used', used_at: notBefore(view, nowMs) };
}

/** Throws `auth.forbidden` unless `by` is a person. Says nothing about the approval. */
export function assertPerson(id: string, by: string): void {
  if (!/^(user|token):./.test(by)) throw new LokiError('auth.forbidden', { attempted: `decide approval ${id}`, found: `${by} is no person; only a person decides` });
}

/**
 * Throws `auth.forbidden` unless `by` may decide at all. `isApprover` says whether somebody is on a list that is not empty.
 */
export function assertMayDecide(view: ApprovalView, { by, role, override }: Pick<DecideRequest, 'by' | 'role' | 'override'>, isApprover: IsApprover): void {
  const refuse = (found: string): LokiError => new LokiError('auth.forbidden', { attempted: `decide approval ${view.id}`, found, hint: `Ask one of: ${view.approvers.join(', ') || 'the people who may approve here'}` });
  assertPerson(view.id, by);
  if (by === view.requested_by) throw refuse(`${by} asked for it; somebody else must decide`);
  if (override !== true && view.approvers.length > 0 && !isApprover(by, view.approvers, role)) throw refuse(`${by} is not on its list of approvers`);
}

/** Throws `approval.decided` unless it is pending, in time, and `by` has not approved it before; to be overridden it may also be approved. */
export function assertOpen(view: ApprovalView, { by, outcome, override }: DecideRequest, nowMs: number): void {
  if (override === true && view.status === 'approved') return;
  if (view.status !== 'pending' || isOverdue(view, nowMs)) {
    const who = view.decisions.at(-1)?.by;
    const over = view.status === 'expired' || view.status === 'pending';
    const found = over ? `it expired; it was open until ${view.expires_at}` : `it is ${view.status}${who === undefined ? '' : `; the last word was that of ${who}`}`;
    const hint = outcome === 'reject' && view.status === 'approved' ? { hint: `Take the approval back with: loki reject ${view.id} --override` } : {};
    throw new LokiError('approval.decided', { attempted: `${outcome} ${view.id}`, found, ...hint });
  }
  if (outcome === 'approve' && view.decisions.some((decision) => decision.by === by)) {
    throw new LokiError('approval.decided', { attempted: `approve ${view.id}`, found: `${by} has approved it before; ${view.required} different people must` });
  }
}

/** Adds a decision that may be made. `executionMs`: how long an approved action may take to be begun. */
export function decided(view: ApprovalView, request: DecideRequest, nowMs: number, executionMs: number): Step {
  const at = notBefore(view, nowMs);
  const { by, role, outcome, proof, reason = null, requestId } = request;
  const signature = proof.kind === 'approver_key' ? { signature: { key: proof.key, at: proof.at, value: proof.signature } } : {};
  const decision: ApprovalDecision = { by, outcome, reason, proof: proof.kind, at, ...(role === undefined ? {} : { role }), ...signature };
  const decisions = [...view.decisions, decision];
  const approvals = approvalsIn({ ...view, decisions });
  const details = { rule: view.rule, reason, proof: { ...proof }, approvals, required: view.required, ...(requestId === undefined ? {} : { request_id: requestId }) };
  if (outcome === 'reject') {
    const next: ApprovalView = { ...view, status: 'rejected', decisions, decided_at: at, use_before: null };
    return { view: next, event: eventOf(next, request.override === true ? 'approval.override' : 'approval.reject', by, details) };
  }
  const next: ApprovalView = approvals < view.required
    ? { ...view, decisions }
    : { ...view, status: 'approved', decisions, decided_at: at, use_before: isoTime(Date.parse(at) + executionMs) };
  return { view: next, event: eventOf(next, 'approval.approve', by, details) };
}

/** Times of one approval never go back, whatever the clock does. */
function notBefore(view: ApprovalView, nowMs: number): string {
  const last = view.decided_at ?? view.decisions.at(-1)?.at ?? view.created_at;
  return isoTime(Math.max(nowMs, Date.parse(last)));
}

function eventOf(view: ApprovalView, event: ApprovalEventName, actor: string, details: JsonObject): ApprovalEvent {
  return {
    event, actor,
    resource: `approval:${view.id}`,
    details: { approval_id: view.id, status: view.status, action_hash: view.action_hash, policy_digest: view.policy_digest, ...details },
    metadata: { project_id: view.project_id, session_id: view.session_id },
  };
}
