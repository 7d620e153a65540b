/**
 * Budgets as arithmetic: what a consumption means for a budget rule. Who keeps the count is another matter (`lib/budgets/`);
 * without a count of its own a rule is held against the context's. Money is whole millionths of a US dollar throughout.
 */
import type { Comparison, RuleAction } from '../base/action.ts';
import type { Context } from './fields.ts';
import type { BudgetRule } from './rules.ts';

/** Tokens and money: of a limit, or of what has been used. */
export interface Amounts {
  readonly tokens: number;
  /** Millionths of a US dollar. */
  readonly microUsd: number;
}

/** What has been used of a budget in its period, by a count that outlives the call. */
export interface Spent extends Amounts {
  /** The limits that people have raised for this period; the rule's own where they have not. */
  readonly limit: Partial<Amounts>;
  /** What no price is known for and nobody has accepted: names of settings, `prices.model.output`. Usage of an unnamed model is `a model that was not named`. */
  readonly unpriced: readonly string[];
  /** Whose use, and when, for a reason: `by project prj_… on 2026-02-15 (UTC)`. */
  readonly within: string;
  /** Until when a person's yes holds: `until 2026-02-16T00:00:00.000Z`. */
  readonly until: string;
}

/** Where a budget stands. */
export interface BudgetStanding {
  /** Percent of whichever limit is nearer to its end, rounded down. */
  readonly percent: number;
  /** More than a limit has been used. */
  readonly exceeded: boolean;
  /** Alerts whose share is reached, rising. */
  readonly reached: readonly number[];
}

/** The limits that the rule was written with. */
export function limitsOf({ maxTokens, maxMicroUsd }: Pick<BudgetRule, 'maxTokens' | 'maxMicroUsd'>): Partial<Amounts> {
  return { ...(maxTokens === undefined ? {} : { tokens: maxTokens }), ...(maxMicroUsd === undefined ? {} : { microUsd: maxMicroUsd }) };
}

/** What a consumption means under these limits. */
export function budgetStanding(used: Amounts, limit: Partial<Amounts>, alerts: readonly number[]): BudgetStanding {
  const shares = (['tokens', 'microUsd'] as const).flatMap((unit) => {
    const most = limit[unit];
    return most === undefined ? [] : [{ percent: percentOf(used[unit], most), exceeded: used[unit] > most }];
  });
  const percent = Math.max(0, ...shares.map((share) => share.percent));
  return { percent, exceeded: shares.some((share) => share.exceeded), reached: alerts.filter((alert) => percent >= alert) };
}

/** Exact for every whole number that JavaScript can count. */
function percentOf(used: number, most: number): number {
  return Number(BigInt(used) * 100n / BigInt(most));
}

/** Whether a budget counts what the provider consumes. */
export function budgetCovers(rule: Pick<BudgetRule, 'providers'>, provider: string): boolean {
  return rule.providers === undefined || rule.providers.includes(provider);
}

/** `12.4 USD`: exact, without zeros at the end. */
export function usdText(microUsd: number): string {
  const [whole, part] = [Math.floor(microUsd / 1e6), String(microUsd % 1e6).padStart(6, '0').replace(/0+$/, '')];
  return `${whole}${part === '' ? '' : `.${part}`} USD`;
}

/** Why a budget is broken. `action`: what it does in place of the rule's own action. */
export interface BrokenBudget {
  readonly reason: string;
  readonly unable: boolean;
  readonly action?: RuleAction;
  readonly compared?: readonly Comparison[];
}

/** What was consumed against what may be, as a comparison of a decision. */
function within(field: string, value: number, limit: number): readonly Comparison[] {
  return [{ field, operator: '<=', value, with: limit, holds: false }];
}

/** A budget rule on a context, or on the count that is kept for it. */
export function checkBudget(rule: BudgetRule, context: Context, count: ((rule: BudgetRule) => Spent) | undefined): 'held' | 'not applicable' | BrokenBudget {
  const provider = context['provider'];
  if (rule.providers !== undefined && typeof provider !== 'string') return { reason: 'provider is missing', unable: true };
  if (typeof provider === 'string' && !budgetCovers(rule, provider)) return 'not applicable';
  return count === undefined ? checkContext(rule, context) : checkCount(rule, count(rule));
}

/** Without a count: the context must say what has been consumed of each unit that the rule limits. */
function checkContext(rule: BudgetRule, context: Context): 'held' | BrokenBudget {
  const { tokens_consumed: tokens, cost_usd: cost } = { tokens_consumed: context['tokens_consumed'], cost_usd: context['cost_usd'] };
  if (rule.maxTokens !== undefined) {
    if (!isQuantity(tokens)) return { reason: tokens === undefined ? 'tokens_consumed is missing' : 'tokens_consumed is not a count', unable: true };
    if (tokens > rule.maxTokens) return { reason: `${tokens} tokens consumed of ${rule.maxTokens}`, unable: false, compared: within('tokens_consumed', tokens, rule.maxTokens) };
  }
  if (rule.maxMicroUsd !== undefined) {
    if (!isQuantity(cost)) return { reason: cost === undefined ? 'cost_usd is missing' : 'cost_usd is not an amount', unable: true };
    const microUsd = Math.round(cost * 1e6);
    if (microUsd > rule.maxMicroUsd) return { reason: `${usdText(microUsd)} consumed of ${usdText(rule.maxMicroUsd)}`, unable: false, compared: within('cost_usd', cost, rule.maxMicroUsd / 1e6) };
  }
  return 'held';
}

function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** More settings than this are counted in a reason. */
const mostNamed = 5;

function some(settings: readonly string[]): string {
  return `${settings.slice(0, mostNamed).join(', ')}${settings.length > mostNamed ? ` and ${settings.length - mostNamed} more` : ''}`;
}

/** With a count. What cannot be priced cannot be shown to be within a limit: where the rule would stop anybody, a person is asked. */
function checkCount(rule: BudgetRule, spent: Spent): 'held' | BrokenBudget {
  const { limit, within: whose, until, unpriced } = spent;
  const asks = rule.action === 'require_approval' ? `; an approval allows ${[...(rule.maxTokens === undefined ? [] : [`${rule.maxTokens} tokens`]), ...(rule.maxMicroUsd === undefined ? [] : [usdText(rule.maxMicroUsd)])].join(' and ')} more ${until}` : '';
  if (limit.tokens !== undefined && spent.tokens > limit.tokens) return { reason: `${spent.tokens} tokens consumed of ${limit.tokens} ${whose}${asks}`, unable: false, compared: within('tokens_consumed', spent.tokens, limit.tokens) };
  if (limit.microUsd !== undefined && spent.microUsd > limit.microUsd) return { reason: `${usdText(spent.microUsd)} consumed of ${usdText(limit.microUsd)} ${whose}${asks}`, unable: false, compared: within('cost_usd', spent.microUsd / 1e6, limit.microUsd / 1e6) };
  if (limit.microUsd === undefined || unpriced.length === 0) return 'held';
  return {
    reason: `what was used ${whose} cannot be held against ${usdText(limit.microUsd)}: no price for ${some(unpriced)}; add it where prices are listed, or an approval lets it pass unpriced ${until}`,
    unable: false, ...(rule.action === 'deny' ? { action: 'require_approval' } : {}),
  };
}
