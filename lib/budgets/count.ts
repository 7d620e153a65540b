/**
 * The count of one stretch of time as it is kept: a cell for each agent, provider and model, so that a budget can be asked about
 * any of them, also one that was written later; and what has been told and allowed about each budget. Bounded, whatever names
 * agents make up.
 */
import { LokiError } from '../errors.ts';
import { isCount, isPlainObject, type JsonValue } from '../base/json.ts';
import { charge, type Prices } from './price.ts';
import { addTokens, capped, noTokens, tokenKinds, totalTokens, type TokenCounts, type UsageReport } from './usage.ts';

/** What one agent used of one model through one provider. Type aliases, not interfaces: so they are JSON to the compiler too. */
export type Cell = {
  readonly agent: string;
  readonly provider: string;
  /** Null: not named, or one of too many. */
  readonly model: string | null;
  readonly tokens: TokenCounts;
  readonly micro_usd: number;
  /** The part of `tokens` that had no price when it was reported. */
  readonly unpriced: TokenCounts | null;
  readonly calls: number;
  readonly unmetered: number;
};

/** Something that is told once a period: claimed by the process that tells it, and done once that is recorded. */
export type Telling = { readonly claimed_at: number; readonly done: boolean };

/** What is known of one budget in this stretch, beside what was used. */
export type BudgetMemory = {
  /** By what is told: a percentage, `exceeded …`, `unmetered`. */
  readonly told: { readonly [what: string]: Telling };
  /** Limits that people have raised. */
  readonly raised: { readonly tokens: number | null; readonly micro_usd: number | null };
  /** Models that people have let pass without a price; an unnamed one is the empty text. */
  readonly accepted: readonly string[];
};

export type Count = {
  readonly cells: readonly Cell[];
  readonly budgets: { readonly [budget: string]: BudgetMemory };
};

export const emptyCount: Count = { cells: [], budgets: {} };
export const noMemory: BudgetMemory = { told: {}, raised: { tokens: null, micro_usd: null }, accepted: [] };

/** Cells of one count; then models, and then agents, are no longer told apart. Budgets remembered in one count. */
const most = { cells: 300, agents: 400, budgets: 500, accepted: 100 } as const;
/** Stands for the agents beyond the bound. */
export const otherAgents = '(others)';

/** The count with a report added. */
export function withReport(count: Count, report: UsageReport, prices: Prices): Count {
  const calls = { agent: report.agent, provider: report.provider, model: report.usage[0]?.model ?? null, tokens: noTokens, micro_usd: 0, unpriced: null, calls: report.calls, unmetered: report.unmetered };
  const used = report.usage.map(({ model, tokens }): Cell => {
    const { microUsd, unpriced } = charge(tokens, model === null ? undefined : prices.get(model));
    return { agent: report.agent, provider: report.provider, model, tokens, micro_usd: microUsd, unpriced: unpriced ?? null, calls: 0, unmetered: 0 };
  });
  return { ...count, cells: [...used, calls].reduce(withCell, count.cells) };
}

function withCell(cells: readonly Cell[], added: Cell): readonly Cell[] {
  const found = cells.findIndex((cell) => cell.agent === added.agent && cell.provider === added.provider && cell.model === added.model);
  const cell = cells[found];
  if (cell !== undefined) return cells.with(found, sumOf(cell, added));
  if (cells.length < most.cells) return [...cells, added];
  if (added.model !== null) return withCell(cells, { ...added, model: null });
  if (cells.length < most.agents || added.agent === otherAgents) return [...cells, added];
  return withCell(cells, { ...added, agent: otherAgents });
}

function sumOf(cell: Cell, added: Cell): Cell {
  const unpriced = cell.unpriced === null || added.unpriced === null ? cell.unpriced ?? added.unpriced : addTokens(cell.unpriced, added.unpriced);
  return {
    ...cell, tokens: addTokens(cell.tokens, added.tokens), micro_usd: capped(cell.micro_usd + added.micro_usd), unpriced,
    calls: capped(cell.calls + added.calls), unmetered: capped(cell.unmetered + added.unmetered),
  };
}

/** The count with what is remembered of a budget replaced; the budgets that were remembered first are forgotten first. */
export function withMemory(count: Count, budget: string, memory: BudgetMemory): Count {
  const kept = Object.entries(count.budgets).filter(([name]) => name !== budget).slice(-(most.budgets - 1));
  return { ...count, budgets: Object.fromEntries([...kept, [budget, { ...memory, accepted: memory.accepted.slice(0, most.accepted) }]]) };
}

/** Cells added up. */
export interface Sum {
  readonly tokens: number;
  readonly byKind: TokenCounts;
  readonly microUsd: number;
  /** What has no price today either. */
  readonly unpriced: readonly { readonly model: string | null; readonly tokens: TokenCounts }[];
  readonly calls: number;
  readonly unmetered: number;
}

/** The sum of cells. What had no price when it was reported is priced now, where there is one now. */
export function sumCells(cells: readonly Cell[], prices: Prices): Sum {
  let [byKind, microUsd, calls, unmetered] = [noTokens, 0, 0, 0];
  const unpriced = new Map<string | null, TokenCounts>();
  for (const cell of cells) {
    byKind = addTokens(byKind, cell.tokens);
    const late = cell.unpriced === null ? undefined : charge(cell.unpriced, cell.model === null ? undefined : prices.get(cell.model));
    microUsd = capped(microUsd + cell.micro_usd + (late?.microUsd ?? 0));
    if (late?.unpriced !== undefined) unpriced.set(cell.model, addTokens(unpriced.get(cell.model) ?? noTokens, late.unpriced));
    calls = capped(calls + cell.calls);
    unmetered = capped(unmetered + cell.unmetered);
  }
  return { tokens: totalTokens(byKind), byKind, microUsd, unpriced: [...unpriced].map(([model, tokens]) => ({ model, tokens })), calls, unmetered };
}

/** A count out of the store. Throws `store.corrupt` for anything that is none. */
export function readCount(key: string, value: JsonValue | undefined): Count {
  if (value === undefined) return emptyCount;
  if (isCountValue(value)) return value;
  throw new LokiError('store.corrupt', { attempted: 'read what budgets have been used', found: `the object "${key}" is no count` });
}

function isCountValue(value: unknown): value is Count {
  return isPlainObject(value) && Array.isArray(value['cells']) && value['cells'].every(isCell) && isPlainObject(value['budgets']) && Object.values(value['budgets']).every(isMemory);
}

function isCell(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  const { agent, provider, model, tokens, micro_usd: money, unpriced, calls, unmetered } = value;
  return [agent, provider].every((text) => typeof text === 'string') && (model === null || typeof model === 'string')
    && isTokens(tokens) && (unpriced === null || isTokens(unpriced)) && [money, calls, unmetered].every(isCount);
}

function isTokens(value: unknown): boolean {
  return isPlainObject(value) && tokenKinds.every((kind) => isCount(value[kind]));
}

function isMemory(value: unknown): boolean {
  if (!isPlainObject(value) || !isPlainObject(value['told']) || !isPlainObject(value['raised']) || !Array.isArray(value['accepted'])) return false;
  const { raised, told, accepted } = value;
  return [raised['tokens'], raised['micro_usd']].every((limit) => limit === null || isCount(limit)) && accepted.every((model) => typeof model === 'string')
    && Object.values(told).every((telling) => isPlainObject(telling) && typeof telling['claimed_at'] === 'number' && typeof telling['done'] === 'boolean');
}
