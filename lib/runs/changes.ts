/** The run's changes as a whole, judged by the data policy: what single writes hid may show when they are put together. */
import type { PolicyDecision } from '../base/action.ts';
import { sha256Hex } from '../base/digest.ts';
import { decisionAttributes } from '../gate/spans.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { auditOf, type RunContext } from './context.ts';
import { decidingRules, decisionAudit, decisionEvent, settleDecision } from './decisions.ts';
import type { Change, Changes } from './git.ts';

/** What the run has changed so far; undefined where there is no repository to compare with. */
export async function changesOf(context: RunContext): Promise<Changes | undefined> {
  const base = context.timeline.progress.base_commit;
  if (context.repository === undefined || base === null) return undefined;
  return context.repository.changesSince(base);
}

/**
 * Judges what was added to every changed file. A refusal names the file and the reason, never what was found. One entry
 * records them all. What a person has let pass is not asked about again while it stays the same.
 */
export async function judgeChanges(context: RunContext, changes: Changes, approval: 'ask a person' | 'take as refused'): Promise<{ readonly refusals: readonly string[] }> {
  const refusals: string[] = [];
  const decisions: PolicyDecision[] = [];
  for (const file of changes.files) {
    if (file.unread !== undefined) refusals.push(`"${file.path}" cannot be looked at: ${file.unread}`);
    else refusals.push(...await judgeFile(context, file, approval, decisions));
  }
  traceChanges(context, decisions, refusals.length === 0 ? 'ALLOW' : 'DENY');
  await context.timeline.write({
    audit: [auditOf(context, refusals.length === 0 ? 'policy.allow' : 'policy.deny', {
      resource: `run:${context.timeline.run.id}`,
      details: { point: 'data', subject: 'changes of the run', files: changes.files.length, decision: refusals.length === 0 ? 'ALLOW' : 'DENY', reasons: refusals.slice(0, 20), rules: [...new Set(decisions.flatMap(({ violations }) => violations.map(({ name }) => name)))] },
    })],
  });
  return { refusals };
}

/** One span for all of them, as long as judging took. */
function traceChanges(context: RunContext, decisions: readonly PolicyDecision[], decision: PolicyDecision['decision']): void {
  const [rule] = decisions.flatMap(decidingRules);
  const tookUs = decisions.reduce((sum, { duration_us }) => sum + duration_us, 0);
  context.trace.past(spanNames.policy, { [attribute.point]: 'data', ...decisionAttributes({ decision, policy_digest: decisions[0]?.policy_digest ?? '' }, rule) }, context.deps.clock.now(), tookUs / 1000);
}

async function judgeFile(context: RunContext, file: Change, approval: 'ask a person' | 'take as refused', decisions: PolicyDecision[]): Promise<readonly string[]> {
  if (file.added === '') return [];
  const decision = await context.deps.judgeData(file.added, file.path, 'write');
  decisions.push(decision);
  if (decision.decision === 'ALLOW') return [];
  if (decision.decision === 'REQUIRE_APPROVAL') {
    const waiver = `data ${file.path} ${sha256Hex(file.added)}`;
    if (context.timeline.progress.waived.includes(waiver)) return [];
    if (approval === 'take as refused') return [`"${file.path}": ${decision.reason}`];
    const { allowed, reason } = await settleDecision(context, 'data', file.path, decision);
    if (!allowed) return [`"${file.path}": ${reason}`];
    await context.timeline.write({ progress: (before) => ({ ...before, waived: [...before.waived, waiver] }) });
    return [];
  }
  await context.timeline.write({ audit: [decisionAudit(context, 'data', file.path, decision)], events: [decisionEvent('data', file.path, decision)] });
  return [`"${file.path}": ${decision.reason}`];
}
