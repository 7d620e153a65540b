/**
 * What a webhook is told: the approval as it stands after a change, in the envelope of Standard Webhooks (type, timestamp,
 * data). Holds the canonical action, whose secrets are redacted, and neither signatures nor where the message goes.
 */
import type { JsonObject } from '../../base/json.ts';
import type { ApprovalView } from '../approval.ts';
import type { ApprovalEventName } from '../ports.ts';
import type { Step } from '../steps.ts';

/** A message on its way. */
export interface Message {
  /** The same for the same change, however often it is sent: receivers drop what they have. Holds no dot. */
  readonly id: string;
  readonly type: ApprovalEventName;
  readonly approvalId: string;
  /** The body, byte for byte as it is signed. */
  readonly body: string;
}

/** Standard Webhooks asks for less than 20 kB. */
const largestBody = 20_000;

/** The message of a change. */
export function messageOf({ view, event }: Step): Message {
  const timestamp = view.used_at ?? view.decided_at ?? view.decisions.at(-1)?.at ?? view.created_at;
  const bodies = shapes.map((shape) => JSON.stringify({ type: event.event, timestamp, data: shape(view) }));
  const body = bodies.find((text) => Buffer.byteLength(text) < largestBody) ?? bodies.at(-1) ?? '';
  return { id: `${view.id}_${numberOf(view, event.event)}_${event.event.slice('approval.'.length)}`, type: event.event, approvalId: view.id, body };
}

/** Changes of one approval in their order: asking is 0, each decision has its number, what time brings comes after them. */
function numberOf({ decisions }: ApprovalView, event: ApprovalEventName): number {
  return event === 'approval.request' ? 0 : event === 'approval.expire' ? decisions.length + 1 : decisions.length;
}

/** From everything to what always fits. */
const shapes: readonly ((view: ApprovalView) => JsonObject)[] = [
  (view) => dataOf(view),
  (view) => ({ ...dataOf(view), action: summaryOf(view) }),
  (view) => ({ ...dataOf(view), action: summaryOf(view), approvers: view.approvers.slice(0, 20), decisions: view.decisions.slice(-20).map(({ by, outcome, at }) => ({ by: by.slice(0, 100), outcome, at })), reason: view.reason.slice(0, 500), is_shortened: true }),
];

function dataOf(view: ApprovalView): JsonObject {
  const { id, status, project_id, session_id, rule, reason, action, approvers, required, on_timeout, requested_by, created_at, expires_at, decisions, decided_at, use_before } = view;
  return {
    id, status, project_id, session_id, rule, reason, action, action_hash: view.action_hash, policy_digest: view.policy_digest, approvers, required, on_timeout, requested_by, created_at, expires_at,
    decisions: decisions.map(({ by, outcome, reason: why, proof, at }) => ({ by, outcome, reason: why, proof, at })), decided_at, use_before,
    ...(view.ended_because === undefined ? {} : { ended_because: view.ended_because }),
    ...(status === 'pending' ? { decide_with: `loki approve ${id}` } : {}),
  };
}

function summaryOf({ action }: ApprovalView): JsonObject {
  const kind = action['kind'];
  return { ...(typeof kind === 'string' ? { kind: kind.slice(0, 40) } : {}), is_shortened: true };
}
