/** The resource point, put together: residency, the policy's rules, and the budgets held against their ledger. */
import type { PolicyDecision, Violation } from '../base/action.ts';
import { decisionRank } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import { openAccount, type BudgetNotice } from '../budgets/account.ts';
import { Ledger } from '../budgets/ledger.ts';
import { charge } from '../budgets/price.ts';
import { usdText } from '../policy/budget.ts';
import { conclude, type Policy } from '../policy/evaluate.ts';
import { judgeProvider } from '../policy/residency.ts';
import type { Usage } from '../runs/answer.ts';
import type { BudgetTelling, ResourceContext, ResourceJudgement } from '../runs/deps.ts';
import type { Store } from '../store/store.ts';
import type { Installation } from './installation.ts';
import { residencyOf } from './residency.ts';

/** The ledger in a store, with the configured prices. */
export function openLedger({ host: { clock, timers, random }, config: { prices } }: Pick<Installation, 'host' | 'config'>, store: Pick<Store, 'get' | 'list' | 'transact'>): Ledger {
  return new Ledger({ store, clock, timers, random, prices });
}

/** Millionths of a dollar for what an agent reports. */
export function microUsdOf({ config: { prices } }: Pick<Installation, 'config'>): (usage: Usage) => number {
  return ({ model, input_tokens: input, output_tokens: output, cache_read_tokens: cacheRead = 0, cache_write_tokens: cacheWrite = 0 }) =>
    charge({ input, output, cache_read: cacheRead, cache_write: cacheWrite }, model === undefined ? undefined : prices.get(model)).microUsd;
}

/** May this provider be called (again)? What the session costs is what the ledger knows; a rule that needs it while something has no price denies. */
export async function judgeResource(installation: Installation, ledger: Ledger, policy: Policy, context: ResourceContext): Promise<ResourceJudgement> {
  const { project: projectId, session_id: sessionId, agent, model, region } = context;
  const account = await openAccount(ledger, { projectId, sessionId, agent, ...(model === undefined ? {} : { model }) });
  const { sessionCost } = account;
  const judged = policy.evaluate('resource', {
    ...context, region: region ?? 'none', model: model ?? 'none', cost_usd: sessionCost === undefined ? undefined : sessionCost / 1e6,
  }, { spent: account.spent });
  const decision = withViolations(judged, judgeProvider(residencyOf(installation), context));
  const notices = await account.claim();
  const broken = new Set(decision.violations.map(({ name }) => name));
  const budgets = policy.rules.filter((rule) => rule.is === 'budget' && broken.has(rule.name)).map(({ name }) => name);
  return {
    decision, budgets, tellings: notices.map(tellingOf),
    told: () => account.told(notices),
    allow: () => account.allow(budgets),
  };
}

/** A decision with what a built-in rule found. Whatever is stricter stands. */
export function withViolations(decision: PolicyDecision, found: readonly Violation[]): PolicyDecision {
  if (found.length === 0) return decision;
  const [own, reason] = conclude(found);
  const violations = [...found, ...decision.violations];
  if (decisionRank[own] < decisionRank[decision.decision]) return { ...decision, violations };
  return { ...decision, decision: own, allowed: own === 'ALLOW', requiresApproval: own === 'REQUIRE_APPROVAL', reason, violations };
}

/** A notice in the words of the log of record, and in a line for people. */
function tellingOf({ budget, what, percent, limit, used, unmeteredCalls, within }: BudgetNotice): BudgetTelling {
  const details: JsonObject = {
    rule: budget.name, place: budget.place, percent, within, ...(limit.tokens === undefined ? {} : { limit: limit.tokens }), ...(limit.microUsd === undefined ? {} : { limit_usd: limit.microUsd / 1e6 }),
    tokens_consumed: used.tokens, cost_usd: used.microUsd / 1e6, ...(unmeteredCalls === 0 ? {} : { unmetered_calls: unmeteredCalls }),
  };
  const amounts = [
    ...(limit.tokens === undefined ? [] : [`${used.tokens} of ${limit.tokens} tokens`]), ...(limit.microUsd === undefined ? [] : [`${usdText(used.microUsd)} of ${usdText(limit.microUsd)}`]),
  ].join(', ');
  if (what === 'exceeded') return { event: 'budget.exceeded', details: { ...details, on_exceed: budget.onExceed }, message: `Budget ${budget.name} is exceeded: ${amounts} ${within}` };
  const message = what === 'alert' ? `${percent}% of budget ${budget.name} is used: ${amounts} ${within}`
    : `Budget ${budget.name} does not know all that was used ${within}: ${unmeteredCalls} ${unmeteredCalls === 1 ? 'call' : 'calls'} reported no usage`;
  return { event: 'budget.alert', details, message };
}
