/** The gate of a project, put together: policy and enrolment judge, the log of record records, approvals ask people. */
import type { Action } from '../base/action.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { searchLog, type LoggedEntry } from '../audit/query.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { createGate, type ApprovalReply, type Judgement } from '../gate/gate.ts';
import { currentBranch } from '../gate/project.ts';
import type { ActionOutcome, Gate } from '../gate/reply.ts';
import { createActionJudge, phaseOf } from './action-judge.ts';
import { termsOf, type GateTerms } from './approval-terms.ts';
import { encrypts, openRecord, type OpenLog } from './audit/record.ts';
import type { Installation } from './installation.ts';
import { createPolicySource } from './policy.ts';

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
}

/** Who may decide, and for how long, when no approval gate of the policy says so. */
const usualApproval: GateTerms = { approvers: [], required: 1, timeoutMs: 30 * 60_000 };

/** Opens the gate. Nothing is read or written before the first action. */
export function openGate(installation: Installation, options: GateOptions): Gate {
  const { config, project } = installation;
  const log = options.log ?? openRecord(installation);
  const policyNow = createPolicySource(installation);
  const sessionOf = (action: Action): string => action.session_id ?? 'none';
  const judge = createActionJudge(installation, options.agent, policyNow);
  const phase = phaseOf(installation);
  // The session our surroundings name is the one: an agent that names another, or none, would hide its decisions from its own.
  const inSession = (action: Action): Action => options.sessionId === undefined ? action : { ...action, session_id: options.sessionId };

  async function approve(judgement: Judgement, action: Action): Promise<ApprovalReply> {
    const { openApprovals } = await import('./approvals.ts');
    const approvals = await openApprovals(installation, log.record);
    try {
      const terms = termsOf(policyNow().approvalGates(phase)) ?? usualApproval;
      const rule = judgement.decision.violations.find(({ action: does, monitor }) => does === 'require_approval' && monitor !== true)?.name ?? 'policy';
      return await approvals.room.obtain({
        actionHash: judgement.actionHash, policyDigest: judgement.decision.policy_digest, sessionId: sessionOf(action), projectId: project?.id ?? 'none',
        rule, reason: judgement.decision.reason, action: judgement.canonical, requestedBy: `agent:${options.agent}`, ...terms,
      }, Math.min(options.waitMs, terms.timeoutMs + approvalSlackMs), options.signal);
    } finally {
      await approvals.close();
    }
  }

  const gate = createGate({
    judge, approve, record: log.record, onFailure: config.audit.onFailure, actor: `agent:${options.agent}`,
    recordOutcome: (outcome) => recordOutcome(installation, log, options.agent, sessionOf(outcome.action), outcome),
    metadata: (action) => metadataOf(installation, sessionOf(action)),
    async close() {
      if (options.log === undefined) await log.close();
    },
  });
  return { ...gate, decide: (action) => gate.decide(inSession(action)), report: (outcome) => gate.report({ ...outcome, action: inSession(outcome.action) }) };
}

/** Waiting goes on so long after the time-out, to see that nobody decided. */
const approvalSlackMs = 250;

function metadataOf(installation: Installation, sessionId: string): JsonObject {
  const { project } = installation;
  return { ...(project === undefined ? {} : { project_id: project.id }), ...(sessionId === 'none' ? {} : { session_id: sessionId }) };
}

/** So many turns of two thousand lines back a decision is looked for: an outcome follows its decision closely. */
const mostTurns = 10;

/** What an outcome's decision says of it. */
interface Decided {
  /** Marks an outcome that no decision allowed: the agent acted without asking, or names another action's decision. */
  readonly marks: JsonObject;
  /** When it was decided, where that is known. */
  readonly time?: number;
}

async function decisionOf(installation: Installation, action: Action, ref: number | undefined): Promise<Decided> {
  const { host: { disk }, home, config } = installation;
  if (ref === undefined) return { marks: { ungated: true } };
  if (!config.audit.enabled) return { marks: {} };
  const opener = encrypts(installation) ? (await import('./audit/protection.ts')).openEntries(installation) : undefined;
  let turns = 0;
  for (const entry of searchLog(disk, home.audit, { after: ref - 1, before: ref + 1 }, opener === undefined ? {} : { opener })) {
    turns += entry === undefined ? 1 : 0;
    if (turns > mostTurns) return { marks: { ungated: true, because: 'its decision lies too far back' } };
    if (entry !== undefined) return { marks: refusedAction(entry, action), time: Date.parse(entry.timestamp) };
  }
  return { marks: { ungated: true, because: 'there is no such decision' } };
}

function refusedAction({ event, details }: LoggedEntry, action: Action): JsonObject {
  if (event !== 'policy.allow' && event !== 'policy.warn') return { ungated: true, because: 'its decision was no permission' };
  const decided = isPlainObject(details) && isPlainObject(details['action']) ? details['action']['kind'] : undefined;
  return decided === action.kind ? {} : { ungated: true, because: 'its decision was about another kind of action' };
}

/** What became of an action: in the log of record, and where it is one of the six, in the project's agent chain. */
async function recordOutcome(installation: Installation, log: OpenLog, agent: string, sessionId: string, outcome: ActionOutcome): Promise<void> {
  const { action, ref, ok, exit, bytes } = outcome;
  const result: JsonObject = { ...(ref === undefined ? {} : { ref }), ok, ...(exit === undefined ? {} : { exit }), ...(bytes === undefined ? {} : { bytes }) };
  const decided = await decisionOf(installation, action, ref);
  await log.record({
    event: 'agent.action', actor: `agent:${agent}`, ...(sessionId === 'none' ? {} : { resource: `session:${sessionId}` }),
    details: { kind: action.kind, ...result, ...decided.marks }, metadata: metadataOf(installation, sessionId),
  });
  const { project } = installation;
  if (project === undefined) return;
  const { agentEntriesOf, mayCommit } = await import('../gate/outcome.ts');
  const commits = mayCommit(action) ? await (await import('./audit/commits.ts')).commitsMadeBy(installation, action, decided.time) : [];
  const branch = currentBranch(installation.host.disk, project.dir) ?? null;
  const entries = agentEntriesOf(outcome, result, { agent, branch, projectDir: project.dir, redact: (text) => scanners.redact(text) }, commits);
  if (entries.length === 0) return;
  const { openProjectChain } = await import('./audit/record.ts');
  const chain = openProjectChain(installation, project, log.record);
  try {
    await Promise.all(entries.map((entry) => chain.append(entry)));
  } finally {
    await chain.close();
  }
}

