/** What became of an action: told in the log of record against its decision, and in the project's agent chain. */
import type { Action } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { agentEntriesOf, mayCommit } from '../gate/outcome.ts';
import { currentBranch } from '../gate/project.ts';
import type { ActionOutcome } from '../gate/reply.ts';
import { commitsMadeBy } from './audit/commits.ts';
import { openProjectChain, type OpenLog } from './audit/record.ts';
import { decisionOf } from './decided.ts';
import type { Installation } from './installation.ts';
import type { ActionTrace } from './telemetry/action-trace.ts';

/** Where and for whom an outcome is told. */
export interface OutcomeTeller {
  readonly installation: Installation;
  readonly log: OpenLog;
  readonly agent: string;
  /** `none` where the action names none. */
  readonly sessionId: string;
  readonly metadata: JsonObject;
  /** The form of an action that decisions record. */
  readonly canonicalOf: (action: Action) => JsonObject;
  readonly trace?: ActionTrace;
}

/** Tells it. An outcome without a decision that allowed it is told as a warning. */
export async function recordOutcome(teller: OutcomeTeller, outcome: ActionOutcome): Promise<void> {
  const { installation, log, agent, sessionId, metadata } = teller;
  const { action, ok, exit, bytes, callId, about } = outcome;
  const decided = await decisionOf(installation, outcome, sessionId, teller.canonicalOf);
  const { ref, marks, time } = decided;
  const context = teller.trace?.ended(outcome, decided, sessionId);
  const result: JsonObject = { ...(ref === undefined ? {} : { ref }), ok, ...(exit === undefined ? {} : { exit }), ...(bytes === undefined ? {} : { bytes }) };
  await log.record({
    event: 'agent.action', actor: `agent:${agent}`, ...(sessionId === 'none' ? {} : { resource: `session:${sessionId}` }),
    ...(marks['ungated'] === true ? { level: 'warning' } : {}),
    details: { kind: action.kind, ...(action.tool === undefined ? {} : { tool: action.tool }), ...(callId === undefined ? {} : { call_id: callId }), ...result, ...marks, ...about }, metadata,
  }, context);
  await tellChain(teller, outcome, result, time);
}

async function tellChain({ installation, log, agent }: OutcomeTeller, outcome: ActionOutcome, result: JsonObject, decidedAt: number | undefined): Promise<void> {
  const { action } = outcome;
  const { project } = installation;
  if (project === undefined) return;
  const commits = mayCommit(action) ? await commitsMadeBy(installation, action, decidedAt) : [];
  const place = { agent, branch: currentBranch(installation.host.disk, project.dir) ?? null, projectDir: project.dir, redact: (text: string) => scanners.redact(text) };
  const entries = [action, ...(action.also ?? [])].flatMap((part) => agentEntriesOf({ ...outcome, action: part }, result, place, commits));
  if (entries.length === 0) return;
  const chain = openProjectChain(installation, project, log.record);
  try {
    await Promise.all(entries.map((entry) => chain.append(entry)));
  } finally {
    await chain.close();
  }
}
