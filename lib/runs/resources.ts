/**
 * May the provider be called, and called again? The run's own token budget and the resource rules of the policy are asked
 * before every call and whenever usage is reported. What the policy's budgets have to tell is told by whoever finds it first;
 * what only a person may allow is asked once a run, and a budget's again when what the person allowed is used up.
 */
import type { BudgetTelling, ResourceContext, ResourceJudgement } from './deps.ts';
import { auditOf, type RunContext } from './context.ts';
import { decidingRules, settleDecision } from './decisions.ts';
import { tokensOf, type Progress } from './progress.ts';
import { RunEnd } from './run-end.ts';
import type { Step } from './timeline.ts';

/** Shares of the run's own budget that are worth a word, in percent. */
const ownAlerts: readonly number[] = [50, 80, 95];
const ownRule = 'runs.budget';

/** Resolves when the run may go on. Throws `RunEnd` when the budget is spent or the policy forbids more. */
export async function assertResources(context: RunContext, agent: string, when: 'before a call' | 'after usage'): Promise<void> {
  const judgement = await context.deps.judgeResource(resourceContext(context, agent));
  await tellBudgets(context, judgement);
  const tokens = tokensOf(context.timeline.progress);
  const { budget } = context.settings;
  if (budget !== null && tokens >= budget) throw exceeded(context, `the token budget of ${budget} is spent (${tokens} used)`);
  // What a person may still allow is asked before the next call: the agent at work cannot be made to wait for it.
  if (when === 'after usage' && judgement.decision.decision !== 'DENY') return;
  await settle(context, judgement);
}

function resourceContext(context: RunContext, agent: string): ResourceContext {
  const { provider, timeline, place, sessionId } = context;
  return {
    provider: provider.name,
    ...(provider.model === undefined ? {} : { model: provider.model }),
    ...(provider.region === undefined ? {} : { region: provider.region }),
    tokens_consumed: tokensOf(timeline.progress),
    cost_usd: timeline.progress.cost_usd,
    agent,
    project: place.project.id,
    session_id: sessionId,
  };
}

async function tellBudgets(context: RunContext, judgement: ResourceJudgement): Promise<void> {
  const { progress } = context.timeline;
  const own = ownBudgetAlerts(context.settings.budget, progress).filter(({ key }) => !progress.alerts.includes(key));
  const tellings = [...own.map(({ telling }) => telling), ...judgement.tellings];
  if (tellings.length === 0) return;
  await context.timeline.write({
    ...tellingStep(context, tellings), progress: (before) => ({ ...before, alerts: [...before.alerts, ...own.map(({ key }) => key)] }),
  });
  if (judgement.tellings.length > 0) await judgement.told();
}

function ownBudgetAlerts(budget: number | null, progress: Progress): readonly { readonly key: string; readonly telling: BudgetTelling }[] {
  if (budget === null) return [];
  const tokens = tokensOf(progress);
  return ownAlerts.filter((percent) => tokens * 100 >= budget * percent).map((percent) => ({
    key: `${ownRule} ${percent}`,
    telling: {
      event: 'budget.alert', message: `${percent}% of ${ownRule} is used: ${tokens} of ${budget} tokens`,
      details: { rule: ownRule, percent, limit: budget, tokens_consumed: tokens },
    },
  }));
}

function tellingStep(context: RunContext, tellings: readonly BudgetTelling[]): Step {
  return {
    audit: tellings.map(({ event, details }) => auditOf(context, event, { resource: `run:${context.timeline.run.id}`, details })),
    events: tellings.map(({ message, details }) => ({ event_type: 'log', details: { level: 'warning', message, rule: details['rule'] ?? null, percent: details['percent'] ?? null } })),
  };
}

/** Denied: the run ends. To be approved: asked once a run, and for a budget until a person has raised it. */
async function settle(context: RunContext, { decision, budgets, allow }: ResourceJudgement): Promise<void> {
  const rules = decidingRules(decision);
  const { waived } = context.timeline.progress;
  if (decision.decision === 'REQUIRE_APPROVAL' && rules.length > 0 && rules.every((rule) => waived.includes(rule))) return;
  const { allowed, reason } = await settleDecision(context, 'resource', `provider ${context.provider.name}`, decision);
  if (!allowed) throw new RunEnd(rules.some((rule) => budgets.includes(rule)) ? 'budget_spent' : 'denied', reason);
  if (decision.decision !== 'REQUIRE_APPROVAL') return;
  await allow();
  const others = rules.filter((rule) => !budgets.includes(rule));
  if (others.length > 0) await context.timeline.write({ progress: (before) => ({ ...before, waived: [...before.waived, ...others] }) });
}

function exceeded(context: RunContext, reason: string): RunEnd {
  const details = { rule: ownRule, reason, tokens_consumed: tokensOf(context.timeline.progress) };
  return new RunEnd('budget_spent', reason, [auditOf(context, 'budget.exceeded', { resource: `run:${context.timeline.run.id}`, details })]);
}
