/**
 * Decisions that the run itself asks for, in contrast to those agents ask of the gate: resources, prompts, the changes of
 * a round, completion. Each is recorded before it counts, and what only a person may allow is put before one.
 */
import type { Decision, PolicyDecision, Violation } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import type { AuditEvent } from '../audit/entry.ts';
import type { EventName } from '../audit/events.ts';
import { decidingRule } from '../gate/gate.ts';
import { approvalAttributes, decisionAttributes } from '../gate/spans.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { short } from './answer.ts';
import { auditOf, type RunContext } from './context.ts';
import type { EventDraft } from './timeline.ts';

/** Points a run asks by itself. */
export type RunPoint = 'resource' | 'data' | 'pre_deployment';

const eventOf: Readonly<Record<Decision, EventName>> = { ALLOW: 'policy.allow', DENY: 'policy.deny', REQUIRE_APPROVAL: 'policy.approval_required' };

/** The entry for a decision about `subject`: a provider, a prompt, the changes. */
export function decisionAudit(context: RunContext, point: RunPoint, subject: string, decision: PolicyDecision): AuditEvent {
  const warned = decision.decision === 'ALLOW' && decision.violations.length > 0;
  return auditOf(context, warned ? 'policy.warn' : eventOf[decision.decision], {
    resource: `run:${context.timeline.run.id}`,
    details: {
      point, subject, decision: decision.decision, reason: decision.reason, policy_digest: decision.policy_digest,
      duration_us: decision.duration_us, violations: decision.violations.map(violationDetails),
    },
  });
}

function violationDetails(violation: Violation): JsonObject {
  const { name, action, reason, place, findings, monitor } = violation;
  return {
    name, action, reason, place,
    ...(monitor === true ? { monitor } : {}),
    ...(findings === undefined ? {} : { findings: findings.slice(0, 20).map((finding) => ({ ...finding })) }),
  };
}

/** The rules that made a decision what it is; those only watched left out. */
export function decidingRules(decision: PolicyDecision): readonly string[] {
  return decision.violations.filter(({ action, monitor }) => monitor !== true && (action === 'deny' || action === 'require_approval')).map(({ name }) => name);
}

/** The span of a decision that has just been made; of those that are recorded. */
export function traceDecision(context: RunContext, point: RunPoint, decision: PolicyDecision): void {
  context.trace.past(spanNames.policy, { [attribute.point]: point, ...decisionAttributes(decision, decidingRule(decision)) }, context.deps.clock.now(), decision.duration_us / 1000);
}

/** The timeline's word on a decision. */
export function decisionEvent(point: RunPoint, subject: string, decision: PolicyDecision): EventDraft {
  const [rule] = decidingRules(decision);
  return { event_type: 'policy_decision', details: { point, subject, decision: decision.decision, reason: short(decision.reason), ...(rule === undefined ? {} : { rule }) } };
}

/** Puts a decision before a person and writes down the answer. Nobody to ask is a no. */
export async function askPerson(context: RunContext, point: RunPoint, decision: PolicyDecision): Promise<{ readonly approved: boolean; readonly reason: string }> {
  const { approve } = context.deps;
  if (approve === undefined) return { approved: false, reason: 'nobody can be asked to approve it' };
  const answer = await context.trace.within(spanNames.approval, {}, async (span) => {
    const given = await approve({
      point, phase: context.timeline.progress.phase, reason: decision.reason, decision, session_id: context.sessionId, run_id: context.timeline.run.id, signal: context.halt.signal,
    });
    const { approved, approval_id: id = '', reason, outcome = approved ? 'approved' : 'rejected', decidedBy = [] } = given;
    span.setAttributes(approvalAttributes({ id, outcome, reason, decidedBy }, true));
    return given;
  });
  const id = answer.approval_id === undefined ? {} : { approval_id: answer.approval_id };
  await context.timeline.write({ events: [{ event_type: 'approval', details: { point, status: answer.approved ? 'approved' : 'rejected', reason: short(answer.reason), ...id } }] });
  return answer;
}

/** Records a decision, asks a person where one must, and says whether to go on and why not. */
export async function settleDecision(context: RunContext, point: RunPoint, subject: string, decision: PolicyDecision): Promise<{ readonly allowed: boolean; readonly reason: string }> {
  traceDecision(context, point, decision);
  const shown = decision.decision === 'ALLOW' && decision.violations.length === 0 ? [] : [decisionEvent(point, subject, decision)];
  await context.timeline.write({ audit: [decisionAudit(context, point, subject, decision)], events: shown });
  if (decision.decision === 'ALLOW') return { allowed: true, reason: decision.reason };
  if (decision.decision === 'DENY') return { allowed: false, reason: decision.reason };
  const { approved, reason } = await askPerson(context, point, decision);
  return { allowed: approved, reason: approved ? reason : `${decision.reason}; ${reason}` };
}
