/** Budgets in words, for `loki status`. */
import type { ProjectBudgets } from '../lib/app/budget-overview.ts';
import type { BudgetRow } from '../lib/budgets/overview.ts';
import { printable, type Look } from './output.ts';

/** Label and value pairs: a line a budget; none where the policy has no budget. */
export function budgetCells(budgets: ProjectBudgets, look: Look): readonly (readonly [string, string])[] {
  if (!('rows' in budgets)) return [['Budgets', look.paint('red', `cannot be told: ${printable(budgets.problem)}; see: loki policy check`)]];
  return budgets.rows.map((row, at) => [at === 0 ? 'Budgets' : '', budgetLine(row, look)]);
}

/** `token-budget  64%  3200000 of 5000000 tokens, on 2026-02-15 (UTC), until …; 3 of 90 calls unmetered` */
function budgetLine(row: BudgetRow, look: Look): string {
  const amounts = [
    ...(row.limit.tokens === null ? [] : [`${row.used.tokens} of ${row.limit.tokens} tokens`]), ...(row.limit.usd === null ? [] : [`${row.used.usd} of ${row.limit.usd} USD`]),
  ].join(', ');
  const share = look.paint(row.exceeded ? 'red' : row.alerts.some((alert) => row.percent >= alert) ? 'yellow' : 'green', row.exceeded ? 'exceeded' : `${row.percent}%`);
  const notes = [
    row.raised ? 'raised by a person' : '', row.mode === 'monitor' ? 'only watched' : '',
    row.unmetered_calls === 0 ? '' : `${row.unmetered_calls} of ${row.calls} calls unmetered`,
    row.limit.usd === null || row.unpriced.length === 0 ? '' : `unpriced: ${row.unpriced.map(({ model, tokens }) => `${tokens} tokens of ${model === null ? 'a model that was not named' : printable(model)}`).join(', ')}`,
  ].filter((note) => note !== '');
  return `${printable(row.name)}  ${share}  ${amounts}, ${spanOf(row)}${notes.map((note) => `; ${note}`).join('')}`;
}

function spanOf({ per, agent, period, window, ends_at: ends }: BudgetRow): string {
  const who = per !== 'agent' ? '' : agent === null ? 'for each agent ' : `by ${printable(agent)} `;
  const time = window === null ? 'in a session' : { session: `in ${window}`, day: `on ${window} (UTC)`, month: `in ${window} (UTC)` }[period] ?? 'in all';
  return `${who}${time}${ends === null ? '' : `, until ${ends}`}`;
}
