/**
 * May the provider be called, and called again? The run's own token budget and the resource rules of the policy are asked
 * before every call and whenever usage is reported. Alerts are given once each; what only a person may allow is asked once
 * a run.
 */
import type { PolicyDecision } from '../base/action.ts';
import type { BudgetAlert, ResourceContext } from './deps.ts';
import { auditOf, RunEnd, type RunContext } from './context.ts';
import { decidingRules, settleDecision } from './decisions.ts';
import { tokensOf, type Progress } from './progress.ts';
import type { Step } from './timeline.ts';

/** Shares of the run's own budget that are worth a word, in percent. */
const ownAlerts: readonly number[] = [50, 80, 95];
const ownRule = 'runs.budget';

/** Resolves when the run may go on. Throws `RunEnd` when the budget is spent or the policy forbids more. */
export async function assertResources(context: RunContext, agent: string, when: 'before a call' | 'after usage'): Promise<void> {
  const { decision, alerts, over_budget } = await context.deps.judgeResource(resourceContext(context, agent));
  await giveAlerts(context, alerts);
  const tokens = tokensOf(context.timeline.progress);
  const { budget } = context.settings;
  if (budget !== null && tokens >= budget) throw exceeded(context, ownRule, `the token budget of ${budget} is spent (${tokens} used)`);
  // What a person may still allow is asked before the next call: the agent at work cannot be made to wait for it.
  if (when === 'after usage' && decision.decision !== 'DENY') return;
  await settle(context, decision, over_budget);
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

async function giveAlerts(context: RunContext, ofPolicy: readonly BudgetAlert[]): Promise<void> {
  const { progress } = context.timeline;
  const due = [...ownBudgetAlerts(context.settings.budget, progress), ...ofPolicy].filter((alert) => !progress.alerts.includes(alertKey(alert)));
  if (due.length > 0) await context.timeline.write(alertStep(context, due));
}

function ownBudgetAlerts(budget: number | null, progress: Progress): readonly BudgetAlert[] {
  if (budget === null) return [];
  return ownAlerts.filter((percent) => tokensOf(progress) * 100 >= budget * percent).map((percent) => ({ rule: ownRule, percent, limit: budget }));
}

function alertKey({ rule, percent }: BudgetAlert): string {
  return `${rule} ${percent}`;
}

function alertStep(context: RunContext, alerts: readonly BudgetAlert[]): Step {
  const tokens = tokensOf(context.timeline.progress);
  return {
    audit: alerts.map(({ rule, percent, limit }) => auditOf(context, 'budget.alert', {
      resource: `run:${context.timeline.run.id}`, details: { rule, percent, limit, tokens_consumed: tokens },
    })),
    events: alerts.map(({ rule, percent, limit }) => ({
      event_type: 'log', details: { level: 'warning', message: `${percent}% of ${rule} is used: ${tokens} of ${limit} tokens`, rule, percent },
    })),
    progress: (before) => ({ ...before, alerts: [...before.alerts, ...alerts.map(alertKey)] }),
  };
}

/** Denied: the run ends. To be approved: asked once a rule and run. */
async function settle(context: RunContext, decision: PolicyDecision, overBudget: boolean): Promise<void> {
  const rules = decidingRules(decision);
  const { waived } = context.timeline.progress;
  if (decision.decision === 'REQUIRE_APPROVAL' && rules.length > 0 && rules.every((rule) => waived.includes(rule))) return;
  const { allowed, reason } = await settleDecision(context, 'resource', `provider ${context.provider.name}`, decision);
  if (!allowed) throw overBudget ? exceeded(context, rules[0] ?? 'policy', reason) : new RunEnd('failed', reason);
  if (decision.decision === 'REQUIRE_APPROVAL') {
    await context.timeline.write({ progress: (before) => ({ ...before, waived: [...before.waived, ...rules] }) });
  }
}

function exceeded(context: RunContext, rule: string, reason: string): RunEnd {
  const details = { rule, reason, tokens_consumed: tokensOf(context.timeline.progress) };
  return new RunEnd('failed', reason, [auditOf(context, 'budget.exceeded', { resource: `run:${context.timeline.run.id}`, details })]);
}
