/** Token budgets as arithmetic: what a step of consumption means for a budget. Who keeps the count is another matter. */
import type { BudgetRule } from './rules.ts';

export interface BudgetState {
  readonly tokens: number;
  readonly maxTokens: number;
  /** Percent of the budget, rounded down. */
  readonly percent: number;
  readonly exceeded: boolean;
  /** Alerts that this step crossed, rising; each is crossed once as long as consumption only grows. */
  readonly alerts: readonly number[];
}

/** The budget after consumption went from `previous` to `tokens` within one budget period. */
export function budgetState(tokens: number, rule: Pick<BudgetRule, 'maxTokens' | 'alerts'>, previous = 0): BudgetState {
  const reached = (percent: number, count: number): boolean => count * 100 >= percent * rule.maxTokens;
  return {
    tokens, maxTokens: rule.maxTokens,
    percent: Math.floor(tokens / rule.maxTokens * 100),
    exceeded: tokens > rule.maxTokens,
    alerts: rule.alerts.filter((percent) => reached(percent, tokens) && !reached(percent, previous)),
  };
}

/** Whether a budget counts what the provider consumes. */
export function budgetCovers(rule: Pick<BudgetRule, 'providers'>, provider: string): boolean {
  return rule.providers === undefined || rule.providers.includes(provider);
}
