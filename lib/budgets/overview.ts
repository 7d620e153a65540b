/** Every budget of a project and where it stands: for `loki status` and `/budgets`. Looks and changes nothing. */
import { budgetCovers, budgetStanding } from '../policy/budget.ts';
import type { BudgetRule } from '../policy/rules.ts';
import { stateOf } from './account.ts';
import type { Ledger } from './ledger.ts';
import { totalTokens } from './usage.ts';
import { windowOf, type BudgetWindow } from './window.ts';

/** One budget, or one agent's share of a budget per agent. A type alias, not an interface: so it is JSON to the compiler too. */
export type BudgetRow = {
  readonly project_id: string;
  readonly name: string;
  /** `file:line:column` of the rule. */
  readonly place: string;
  readonly layer: string;
  readonly mode: 'enforce' | 'monitor';
  readonly per: string;
  readonly period: string;
  readonly providers: readonly string[] | null;
  readonly on_exceed: string;
  /** Whose share; null where the budget counts no agents, or none has used anything. */
  readonly agent: string | null;
  /** The session it is about; null where it counts no sessions, or there has been none. */
  readonly session_id: string | null;
  /** `2026-02-15`, `2026-02`, the session, `all`. */
  readonly window: string | null;
  /** When the count begins anew; null where no clock says so. */
  readonly ends_at: string | null;
  readonly limit: { readonly tokens: number | null; readonly usd: number | null };
  /** Whether a person has raised the limit for this period. */
  readonly raised: boolean;
  readonly used: {
    readonly tokens: number; readonly input_tokens: number; readonly output_tokens: number; readonly cache_read_tokens: number; readonly cache_write_tokens: number; readonly usd: number;
  };
  readonly percent: number;
  readonly exceeded: boolean;
  readonly alerts: readonly number[];
  /** Alerts that have been told in this period. */
  readonly alerts_told: readonly number[];
  readonly calls: number;
  /** Calls that reported no usage: what they used is not in `used`. */
  readonly unmetered_calls: number;
  /** Tokens without a price, which are not in `used.usd`. Model null: it was not named. */
  readonly unpriced: readonly { readonly model: string | null; readonly tokens: number }[];
};

/** Where a project is looked at: with the session that works in it, else the one that was counted last. */
export interface Look {
  readonly projectId: string;
  readonly sessionId?: string;
}

/** The rows of these rules, in their order. */
export async function budgetRows(ledger: Ledger, { projectId, sessionId }: Look, rules: readonly BudgetRule[]): Promise<readonly BudgetRow[]> {
  if (rules.length === 0) return [];
  const session = sessionId ?? await ledger.newestSession(projectId);
  const rows: BudgetRow[] = [];
  for (const rule of rules) {
    const isOfSession = rule.period === 'session';
    const window = windowOf(rule.period, { projectId, sessionId: session ?? 'none', at: ledger.now() });
    const count = await ledger.read(window);
    const agents = rule.per !== 'agent' ? [] : [...new Set(count.cells.filter(({ provider }) => budgetCovers(rule, provider)).map(({ agent }) => agent))];
    const about = { projectId, window: isOfSession && session === undefined ? undefined : window, session: isOfSession ? session ?? null : null };
    for (const agent of agents.length === 0 ? [undefined] : agents) rows.push(rowOf(rule, about, agent, stateOf(rule, agent ?? '', window, count, ledger)));
  }
  return rows;
}

interface About {
  readonly projectId: string;
  readonly window: BudgetWindow | undefined;
  readonly session: string | null;
}

function rowOf(rule: BudgetRule, { projectId, window, session }: About, agent: string | undefined, { sum, memory, limit }: ReturnType<typeof stateOf>): BudgetRow {
  const { percent, exceeded } = budgetStanding(sum, limit, rule.alerts);
  const { input, output, cache_read, cache_write } = sum.byKind;
  return {
    project_id: projectId, name: rule.name, place: rule.place, layer: rule.layer, mode: rule.monitor ? 'monitor' : 'enforce',
    per: rule.per, period: rule.period, providers: rule.providers ?? null, on_exceed: rule.onExceed,
    agent: agent ?? null, session_id: session, window: window?.name ?? null, ends_at: window?.endsAt === undefined ? null : new Date(window.endsAt).toISOString(),
    limit: { tokens: limit.tokens ?? null, usd: limit.microUsd === undefined ? null : limit.microUsd / 1e6 }, raised: memory.raised.tokens !== null || memory.raised.micro_usd !== null,
    used: { tokens: sum.tokens, input_tokens: input, output_tokens: output, cache_read_tokens: cache_read, cache_write_tokens: cache_write, usd: sum.microUsd / 1e6 },
    percent, exceeded, alerts: rule.alerts, alerts_told: rule.alerts.filter((alert) => memory.told[String(alert)]?.done === true),
    calls: sum.calls, unmetered_calls: sum.unmetered, unpriced: sum.unpriced.map(({ model, tokens }) => ({ model, tokens: totalTokens(tokens) })),
  };
}
