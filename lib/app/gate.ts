/** The gate of a project, put together: policy and enrolment judge, the log of record records, approvals ask people. */
import { LokiError } from '../errors.ts';
import type { Action } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import { createGate, type ApprovalReply, type Judgement } from '../gate/gate.ts';
import type { Gate } from '../gate/reply.ts';
import { createActionJudge, phaseOf } from './action-judge.ts';
import { termsOf, type GateTerms } from './approval-terms.ts';
import { openRecord, type OpenLog } from './audit/record.ts';
import { approversOf } from './approver.ts';
import type { Installation } from './installation.ts';
import { createPolicySource, type PolicyMemory } from './policy.ts';
import type { ActionTrace } from './telemetry/action-trace.ts';
import type { EntryTelling } from './telemetry/entries.ts';
import { filedUnder } from './tenancy.ts';

/** How a gate is opened. */
export interface GateOptions {
  /** What kind of agent asks: `generic`, `claude` … */
  readonly agent: string;
  /** The session that the actions belong to, whatever they say; without it, the one they name. */
  readonly sessionId?: string;
  /** How long an action that needs approval may wait for it. */
  readonly waitMs: number;
  /** The log to record in; a new one is opened, and closed with the gate, when left out. */
  readonly log?: OpenLog;
  /** Ends waiting for an approval. */
  readonly signal?: AbortSignal;
  /** The caller can ask the person before the agent, and shall where the policy leaves an approval to that person. */
  readonly asksNatively?: boolean;
  /** How many agents work in the project, this one among them; 1 when left out. */
  readonly activeAgents?: () => number;
  /** What a process that judges again and again keeps of the project's policy. */
  readonly policy?: PolicyMemory;
  /** Makes the spans of the actions, where telemetry is on. */
  readonly trace?: ActionTrace;
  /** Where telemetry tells of the entries of a log that is opened with the gate. */
  readonly telling?: EntryTelling;
}

/** Who may decide, and for how long, when no approval gate of the policy says so. */
const usualApproval: GateTerms = { approvers: [], required: 1, timeoutMs: 30 * 60_000 };

/** Opens the gate. Nothing is read or written before the first action. */
export function openGate(installation: Installation, options: GateOptions): Gate {
  const { config, project, host: { clock } } = installation;
  const { trace, telling } = options;
  const log = options.log ?? openRecord(installation, telling === undefined ? {} : { telling });
  const policyNow = createPolicySource(installation, options.policy);
  const sessionOf = (action: Action): string => action.session_id ?? 'none';
  const judge = createActionJudge(installation, options.agent, policyNow, options.activeAgents);
  const phase = phaseOf(installation);
  // The session our surroundings name is the one: an agent that names another, or none, would hide its decisions from its own.
  const inSession = (action: Action): Action => options.sessionId === undefined ? action : { ...action, session_id: options.sessionId };

  async function approve(judgement: Judgement, action: Action): Promise<ApprovalReply> {
    const { openApprovals } = await import('./approvals.ts');
    const approvals = await openApprovals(installation, log.record);
    try {
      const policy = policyNow();
      // Who may decide is said by the policy that asks, not by the one that came after it.
      if (policy.digest !== judgement.decision.policy_digest) throw new LokiError('project.changed', { attempted: 'ask for approval', found: 'the policy changed after the action was judged' });
      const terms = termsOf(policy.approvalGates(phase)) ?? usualApproval;
      if (options.asksNatively === true && isLeftToWhoeverIsThere(installation, terms)) return { outcome: 'handed', id: '', reason: '' };
      const rule = judgement.decision.violations.find(({ action: does, monitor }) => does === 'require_approval' && monitor !== true)?.name ?? 'policy';
      const startedAt = clock.monotonic();
      const answer = await approvals.room.obtain({
        actionHash: judgement.actionHash, policyDigest: judgement.decision.policy_digest, sessionId: sessionOf(action), projectId: project?.id ?? 'none',
        rule, reason: judgement.decision.reason, action: judgement.canonical, requestedBy: `agent:${options.agent}`, ...terms,
      }, Math.min(options.waitMs, terms.timeoutMs + approvalSlackMs), options.signal);
      return { ...answer, waitedMs: Math.round(clock.monotonic() - startedAt) };
    } finally {
      await approvals.close();
    }
  }

  const gate = createGate({
    judge, approve, record: log.record, onFailure: config.audit.onFailure, actor: `agent:${options.agent}`,
    async recordOutcome(outcome) {
      const { recordOutcome } = await import('./outcomes.ts');
      const canonicalOf = (action: Action): JsonObject => judge(action).canonical;
      await recordOutcome({
        installation, log, agent: options.agent, sessionId: sessionOf(outcome.action), metadata: filedUnder(installation, sessionOf(outcome.action)), canonicalOf,
        ...(trace === undefined ? {} : { trace }),
      }, outcome);
    },
    metadata: (action) => filedUnder(installation, sessionOf(action)),
    ...(trace === undefined ? {} : { spansOf: trace.spansOf }),
    async close() {
      if (options.log === undefined) await log.close();
    },
  });
  return { ...gate, decide: (action, about) => gate.decide(inSession(action), about), report: (outcome) => gate.report({ ...outcome, action: inSession(outcome.action) }) };
}

/** Waiting goes on so long after the time-out, to see that nobody decided. */
const approvalSlackMs = 250;

/** Whether the policy names nobody and no key stands behind decisions: then a person's yes at a terminal is what an approval is. */
function isLeftToWhoeverIsThere(installation: Installation, { approvers, required }: GateTerms): boolean {
  return approvers.length === 0 && required === 1 && approversOf(installation).length === 0;
}
