/**
 * The one path of an action: judge, record, reply. What is not allowed by policy does not happen; what needs a person waits
 * for one, and nobody's answer is a no; and what cannot be recorded does not happen either, because an action that leaves
 * no trace is the one thing this product promises not to let pass. Trusts the judge and the recorder it is given, and
 * nothing the agent says about itself.
 */
import { messageOf, LokiError } from '../errors.ts';
import type { Action, PolicyDecision } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import type { SpanContext } from '../base/trace.ts';
import type { AuditEvent, AuditReceipt, Recorder } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import type { ActionOutcome, Gate, GateReply } from './reply.ts';

/** A judged action: the decision, and the canonical form that is recorded and that an approval is bound to. */
export interface Judgement {
  readonly decision: PolicyDecision;
  readonly canonical: JsonObject;
  /** SHA-256 (hex) of the canonical form. */
  readonly actionHash: string;
  /** What else was judged by, and is recorded so that it can be judged by again. */
  readonly context?: JsonObject;
}

/**
 * A person's answer to an action that needs one. `pending`: nobody has answered while the caller could wait. `handed`: the caller asks
 * the person before the agent itself.
 */
export interface ApprovalReply {
  readonly outcome: 'approved' | 'rejected' | 'expired' | 'pending' | 'handed';
  readonly id: string;
  readonly reason: string;
  /** The people on whose word it rests: `user:alice`. */
  readonly decidedBy?: readonly string[];
  /** Milliseconds from asking to this answer. */
  readonly waitedMs?: number;
}

/** What the gate is made of. */
export interface GateParts {
  /** Judges one action by the policy as it stands now. Throws nothing for what an agent sends. */
  readonly judge: (action: Action) => Judgement;
  /** Durable when it resolves. */
  readonly record: Recorder;
  /** Asks for approval, or finds the one that was given, and waits as long as the caller may wait. */
  readonly approve: (judgement: Judgement, action: Action) => Promise<ApprovalReply>;
  /** Writes an outcome to the project's agent chain. */
  readonly recordOutcome: (outcome: ActionOutcome) => Promise<void>;
  /** What an unwritable log does to an action. */
  readonly onFailure: 'block' | 'warn';
  /** Who acts: `agent:<type>`. */
  readonly actor: string;
  readonly metadata: (action: Action) => JsonObject;
  /** Makes the spans of a decision; none are made when left out. */
  readonly spansOf?: (action: Action, about: JsonObject) => DecisionSpans;
  readonly close: () => Promise<void>;
}

/** What makes the spans of one decision, step by step. What a step gives or throws is given and thrown, and nothing else: telling never changes a decision. */
export interface DecisionSpans {
  judge(work: () => Judgement): Judgement;
  wait(work: () => Promise<ApprovalReply>): Promise<ApprovalReply>;
  /** `work` is told the span that the entry is made in. */
  append(work: (context?: SpanContext) => Promise<AuditReceipt>): Promise<AuditReceipt>;
  end(reply: GateReply): void;
}

export const noSpans: DecisionSpans = { judge: (work) => work(), wait: (work) => work(), append: (work) => work(), end: () => undefined };

/** Puts the parts together. */
export function createGate(parts: GateParts): Gate {
  return {
    async decide(action, about = {}) {
      const spans = parts.spansOf?.(action, about) ?? noSpans;
      const judgement = spans.judge(() => judgeSafely(parts, action));
      const verdict = await settle(parts, judgement, action, spans);
      const reply = await record(parts, judgement, verdict, action, about, spans);
      spans.end(reply);
      return reply;
    },
    report: (outcome) => parts.recordOutcome(outcome),
    close: () => parts.close(),
  };
}

/** The decision as it will be recorded and replied, an approval taken into account. */
interface Verdict {
  readonly event: EventName;
  readonly decision: GateReply['decision'];
  readonly reason: string;
  readonly rule?: string;
  readonly approvalId?: string;
  readonly decidedBy?: readonly string[];
  readonly waitedMs?: number;
  readonly handed?: true;
}

/** A judge that fails is a no. */
function judgeSafely(parts: GateParts, action: Action): Judgement {
  try {
    return parts.judge(action);
  } catch (error) {
    return refused(error, { kind: action.kind });
  }
}

/** The judgement on an action that cannot be judged, or not be judged any more. `canonical` is what is recorded of it. */
export function refused(error: unknown, canonical: JsonObject, context?: JsonObject): Judgement {
  const reason = error instanceof LokiError ? `${error.message}. ${error.hint}` : `Cannot judge the action: ${messageOf(error)}`;
  const decision: PolicyDecision = {
    decision: 'DENY', allowed: false, requiresApproval: false, reason, policy_digest: '', duration_us: 0,
    violations: [{ name: error instanceof LokiError ? error.code : 'internal', action: 'deny', reason, place: 'gate' }],
  };
  return { decision, canonical, actionHash: '', ...(context === undefined ? {} : { context }) };
}

async function settle(parts: GateParts, judgement: Judgement, action: Action, spans: DecisionSpans): Promise<Verdict> {
  const { decision } = judgement;
  const rule = decidingRule(decision);
  const common = { decision: decision.decision, reason: decision.reason, ...(rule === undefined ? {} : { rule }) };
  if (decision.decision === 'ALLOW') return { ...common, event: decision.violations.some(({ action: does }) => does === 'warn') ? 'policy.warn' : 'policy.allow' };
  if (decision.decision === 'DENY') return { ...common, event: judgement.actionHash === '' || decision.policy_digest === '' ? 'policy.error' : 'policy.deny' };
  try {
    return withApproval(common, await spans.wait(() => parts.approve(judgement, action)));
  } catch (error) {
    return { ...common, event: 'policy.error', decision: 'DENY', reason: `${decision.reason}. It needs approval, and asking for it failed: ${messageOf(error)}` };
  }
}

function withApproval(common: Omit<Verdict, 'event'>, approval: ApprovalReply): Verdict {
  const { id: approvalId, decidedBy = [], waitedMs } = approval;
  if (approval.outcome === 'handed') return { ...common, event: 'policy.approval_required', handed: true };
  const asked = { ...common, approvalId, ...(decidedBy.length === 0 ? {} : { decidedBy }), ...(waitedMs === undefined ? {} : { waitedMs }) };
  if (approval.outcome === 'approved') return { ...asked, event: 'policy.allow', decision: 'ALLOW', reason: `Approved (${approvalId}): ${approval.reason}` };
  if (approval.outcome === 'pending') return { ...asked, event: 'policy.approval_required', reason: `${common.reason}. Approval ${approvalId} is needed: loki approve ${approvalId}` };
  const word = approval.outcome === 'rejected' ? 'was rejected' : 'was not given in time';
  return { ...asked, event: 'policy.deny', decision: 'DENY', reason: `${common.reason}. Approval ${approvalId} ${word}: ${approval.reason}` };
}

/** The name of the rule that made a decision what it is. */
export function decidingRule(decision: Pick<PolicyDecision, 'decision' | 'violations'>): string | undefined {
  const wanted = decision.decision === 'DENY' ? 'deny' : decision.decision === 'REQUIRE_APPROVAL' ? 'require_approval' : 'warn';
  return decision.violations.find(({ action, monitor }) => action === wanted && monitor !== true)?.name;
}

/** Recorded first, replied after: the entry is on the medium when the caller hears of it. */
async function record(parts: GateParts, judgement: Judgement, verdict: Verdict, action: Action, about: JsonObject, spans: DecisionSpans): Promise<GateReply> {
  const reply = {
    decision: verdict.decision,
    allowed: verdict.decision === 'ALLOW',
    reason: verdict.reason,
    ...(verdict.rule === undefined ? {} : { rule: verdict.rule }),
    ...(verdict.approvalId === undefined ? {} : { approval_id: verdict.approvalId }),
    ...(verdict.handed === undefined ? {} : { handed: verdict.handed }),
  };
  try {
    const receipt = await spans.append((context) => parts.record(entryOf(parts, judgement, verdict, action, about), context));
    return { ...reply, reason: withWhy(verdict, receipt.seq), audit_seq: receipt.seq };
  } catch (error) {
    if (parts.onFailure === 'warn') return { ...reply, reason: `${reply.reason} (NOT RECORDED: ${messageOf(error)})`, audit_seq: null };
    const hint = error instanceof LokiError ? `. ${error.hint}` : '';
    return { ...reply, decision: 'DENY', allowed: false, rule: 'builtin:recording', reason: `The decision could not be recorded, so the action is refused: ${messageOf(error)}${hint}`, audit_seq: null };
  }
}

/** A rule's no says where all of it can be read; what is broken says itself how it is repaired. */
function withWhy({ event, reason, rule, approvalId }: Verdict, seq: number | null): string {
  return event === 'policy.deny' && rule !== undefined && approvalId === undefined && seq !== null ? `${reason}. Why in full: loki policy explain --seq ${seq}` : reason;
}

function entryOf(parts: GateParts, judgement: Judgement, verdict: Verdict, action: Action, about: JsonObject): AuditEvent {
  const { decision } = judgement;
  return {
    event: verdict.event,
    actor: parts.actor,
    ...(action.session_id === undefined ? {} : { resource: `session:${action.session_id}` }),
    details: {
      action: judgement.canonical,
      ...(judgement.context === undefined ? {} : { context: judgement.context }),
      decision: verdict.decision,
      reason: verdict.reason,
      ...(verdict.rule === undefined ? {} : { rule: verdict.rule }),
      ...(verdict.approvalId === undefined ? {} : { approval_id: verdict.approvalId }),
      ...(verdict.decidedBy === undefined ? {} : { decided_by: verdict.decidedBy }),
      ...(verdict.waitedMs === undefined ? {} : { waited_ms: verdict.waitedMs }),
      ...(verdict.handed === undefined ? {} : { asked_at: 'agent' }),
      ...about,
      ...(decision.violations.length === 0 ? {} : { violations: decision.violations.map(violationDetails) }),
      policy_digest: decision.policy_digest,
      duration_us: decision.duration_us,
    },
    metadata: parts.metadata(action),
  };
}

/** A violation as entries carry it. */
export function violationDetails(violation: PolicyDecision['violations'][number]): JsonObject {
  const { name, action, reason, place, monitor, findings, compared } = violation;
  return {
    name, action, reason, place,
    ...(compared === undefined ? {} : { compared: compared.map((comparison) => ({ ...comparison })) }),
    ...(monitor === true ? { monitor } : {}),
    ...(findings === undefined ? {} : { findings: findings.map((finding) => ({ ...finding })) }),
  };
}
