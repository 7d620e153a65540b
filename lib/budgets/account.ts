/**
 * The budgets as they stand for one call: what counts against each rule, what has to be told about it, and what a person's yes
 * changes. Read once, so that all rules of a decision are held against one state of the counts.
 */
import { canonicalJson } from '../base/json.ts';
import { sha256Hex } from '../base/digest.ts';
import { budgetCovers, budgetStanding, limitsOf, type Amounts, type Spent } from '../policy/budget.ts';
import type { BudgetPeriod, BudgetRule } from '../policy/rules.ts';
import { noMemory, otherAgents, sumCells, type BudgetMemory, type Cell, type Count, type Sum } from './count.ts';
import type { Ledger } from './ledger.ts';
import { tokenKinds } from './usage.ts';
import { periods, windowOf, type BudgetWindow } from './window.ts';

/** Whose call it is. */
export interface Caller {
  readonly projectId: string;
  readonly sessionId: string;
  readonly agent: string;
  /** The model that is about to be called, where that is known. */
  readonly model?: string;
}

/** Something that is told once a period, by whichever process finds it first. */
export interface BudgetNotice {
  readonly budget: BudgetRule;
  readonly what: 'alert' | 'exceeded' | 'unmetered';
  /** The alert's percentage; of the others where the budget stands. */
  readonly percent: number;
  readonly limit: Partial<Amounts>;
  readonly used: Amounts;
  readonly unmeteredCalls: number;
  /** `by the project on 2026-02-15 (UTC)` */
  readonly within: string;
}

/** A process that has claimed to tell something and has not done so within this is taken for dead. */
const tellWithinMs = 30_000;

/** One budget for one caller. */
export interface BudgetState {
  readonly window: BudgetWindow;
  readonly sum: Sum;
  readonly memory: BudgetMemory;
  readonly limit: Partial<Amounts>;
}

/** Reads the counts that a caller's use is added to. */
export async function openAccount(ledger: Ledger, caller: Caller): Promise<Account> {
  const moment = { ...caller, at: ledger.now() };
  const counts = new Map<BudgetPeriod, { readonly window: BudgetWindow; readonly count: Count }>();
  for (const period of periods) {
    const window = windowOf(period, moment);
    counts.set(period, { window, count: await ledger.read(window) });
  }
  return new Account(ledger, caller, (period) => counts.get(period) ?? { window: windowOf(period, moment), count: { cells: [], budgets: {} } });
}

export class Account {
  readonly #ledger: Ledger;
  readonly #caller: Caller;
  readonly #at: (period: BudgetPeriod) => { readonly window: BudgetWindow; readonly count: Count };
  readonly #asked = new Map<BudgetRule, BudgetState>();

  constructor(ledger: Ledger, caller: Caller, at: (period: BudgetPeriod) => { readonly window: BudgetWindow; readonly count: Count }) {
    this.#ledger = ledger;
    this.#caller = caller;
    this.#at = at;
  }

  /** What the session has cost so far; undefined when some of it has no price. */
  get sessionCost(): number | undefined {
    const sum = sumCells(this.#at('session').count.cells, this.#ledger.prices);
    return sum.unpriced.length > 0 ? undefined : sum.microUsd;
  }

  /** What counts against a rule. Rules that were asked about are the ones that notices are about. */
  readonly spent = (rule: BudgetRule): Spent => {
    const { window, count } = this.#at(rule.period);
    const state = stateOf(rule, this.#caller.agent, window, count, this.#ledger);
    this.#asked.set(rule, state);
    const { sum, memory, limit } = state;
    return { tokens: sum.tokens, microUsd: sum.microUsd, limit, unpriced: this.#unpriced(sum, memory), within: within(rule, this.#caller.agent, window), until: until(window) };
  };

  /** Settings that a price is missing in: for what was used, and for the model that is about to be called. */
  #unpriced(sum: Sum, memory: BudgetMemory): readonly string[] {
    const { prices } = this.#ledger;
    const next = this.#caller.model;
    const missing = sum.unpriced.filter(({ model }) => !memory.accepted.includes(model ?? '')).flatMap(({ model, tokens }) =>
      model === null ? ['a model that was not named'] : prices.has(model) ? tokenKinds.filter((kind) => tokens[kind] > 0).map((kind) => `prices.${model}.${kind}`) : [`prices.${model}`]);
    const unknown = next === undefined || prices.has(next) || memory.accepted.includes(next) ? [] : [`prices.${next}`];
    return [...new Set([...missing, ...unknown])];
  }

  /** Claims what has to be told about the rules that were asked about. Nobody else is given the same. */
  async claim(): Promise<readonly BudgetNotice[]> {
    const claimed: BudgetNotice[] = [];
    for (const [budget, { window, sum, memory, limit }] of this.#asked) {
      const standing = budgetStanding(sum, limit, budget.alerts);
      const base = { budget, percent: standing.percent, limit, used: { tokens: sum.tokens, microUsd: sum.microUsd }, unmeteredCalls: sum.unmetered, within: within(budget, this.#caller.agent, window) };
      const due: BudgetNotice[] = [
        ...standing.reached.map((percent) => ({ ...base, what: 'alert' as const, percent })),
        ...(standing.exceeded ? [{ ...base, what: 'exceeded' as const }] : []),
        ...(sum.unmetered > 0 ? [{ ...base, what: 'unmetered' as const }] : []),
      ].filter((notice) => this.#isOpen(memory, notice));
      if (due.length > 0) claimed.push(...await this.#claimSome(window, budget, due));
    }
    return claimed;
  }

  async #claimSome(window: BudgetWindow, budget: BudgetRule, due: readonly BudgetNotice[]): Promise<readonly BudgetNotice[]> {
    let mine: readonly BudgetNotice[] = [];
    const at = this.#ledger.now();
    await this.#ledger.remember(window, this.#name(budget), (memory) => {
      mine = due.filter((notice) => this.#isOpen(memory, notice));
      return mine.length === 0 ? undefined : { ...memory, told: { ...memory.told, ...Object.fromEntries(mine.map((notice) => [tellingOf(notice), { claimed_at: at, done: false }])) } };
    });
    return mine;
  }

  #isOpen(memory: BudgetMemory, notice: BudgetNotice): boolean {
    const telling = memory.told[tellingOf(notice)];
    return telling === undefined || (!telling.done && Math.abs(this.#ledger.now() - telling.claimed_at) > tellWithinMs);
  }

  /** The notices that were claimed have been recorded. Until this is known, whoever comes later tells them again. */
  async told(notices: readonly BudgetNotice[]): Promise<void> {
    for (const budget of new Set(notices.map((notice) => notice.budget))) {
      const { window } = this.#asked.get(budget) ?? this.#at(budget.period);
      const done = notices.filter((notice) => notice.budget === budget).map((notice) => [tellingOf(notice), { claimed_at: this.#ledger.now(), done: true }] as const);
      await this.#ledger.remember(window, this.#name(budget), (memory) => ({ ...memory, told: { ...memory.told, ...Object.fromEntries(done) } }));
    }
  }

  /** A person allows the budgets of these names their amount once more, from where they stand, and what has no price. */
  async allow(names: readonly string[]): Promise<void> {
    for (const [budget, { window, sum, limit }] of this.#asked) {
      if (!names.includes(budget.name)) continue;
      const own = limitsOf(budget);
      const raised = (unit: keyof Amounts): number | null => (own[unit] === undefined || sum[unit] <= (limit[unit] ?? Infinity) ? null : Math.min(sum[unit] + own[unit], Number.MAX_SAFE_INTEGER));
      const [tokens, money] = [raised('tokens'), raised('microUsd')];
      // What a person was asked is either that a limit is exceeded or, where none is, that a price is missing.
      const models = own.microUsd === undefined || tokens !== null || money !== null ? [] : [...sum.unpriced.map(({ model }) => model ?? ''), ...(this.#caller.model === undefined ? [] : [this.#caller.model])];
      await this.#ledger.remember(window, this.#name(budget), (memory) => ({
        ...memory, raised: { tokens: higher(memory.raised.tokens, tokens), micro_usd: higher(memory.raised.micro_usd, money) }, accepted: [...new Set([...memory.accepted, ...models])],
      }));
    }
  }

  #name(budget: BudgetRule): string {
    return budgetName(budget, this.#caller.agent);
  }
}

/** The state of a rule for an agent, by the count of its stretch. */
export function stateOf(rule: BudgetRule, agent: string, window: BudgetWindow, count: Count, { prices }: Pick<Ledger, 'prices'>): BudgetState {
  const memory = count.budgets[budgetName(rule, agent)] ?? noMemory;
  const sum = sumCells(count.cells.filter((cell) => counts(rule, agent, cell)), prices);
  const own = limitsOf(rule);
  const limit = {
    ...(own.tokens === undefined ? {} : { tokens: Math.max(own.tokens, memory.raised.tokens ?? 0) }),
    ...(own.microUsd === undefined ? {} : { microUsd: Math.max(own.microUsd, memory.raised.micro_usd ?? 0) }),
  };
  return { window, sum, memory, limit };
}

/** Agents that are no longer told apart count for each. */
function counts(rule: BudgetRule, agent: string, cell: Cell): boolean {
  return (rule.per !== 'agent' || cell.agent === agent || cell.agent === otherAgents) && budgetCovers(rule, cell.provider);
}

/** What a budget is remembered by. Another limit, or another span, makes it another budget. */
function budgetName(rule: BudgetRule, agent: string): string {
  const { layer, name, per, period, maxTokens = null, maxMicroUsd = null, providers = null } = rule;
  return sha256Hex(canonicalJson([layer, name, per, period, maxTokens, maxMicroUsd, providers, per === 'agent' ? agent : null])).slice(0, 32);
}

/** What is told of a notice. A limit that was raised can be exceeded again. */
export function tellingOf({ what, percent, limit }: Pick<BudgetNotice, 'what' | 'percent' | 'limit'>): string {
  return what === 'alert' ? String(percent) : what === 'exceeded' ? `exceeded ${limit.tokens ?? '-'} ${limit.microUsd ?? '-'}` : what;
}

function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? a ?? b : Math.max(a, b);
}

/** `by the agent "quality" in 2026-02 (UTC)` */
function within(rule: BudgetRule, agent: string, { period, name }: BudgetWindow): string {
  const who = rule.per === 'agent' ? `by the agent ${JSON.stringify(agent.slice(0, 80))}` : rule.per === 'session' || period === 'session' ? '' : 'by the project';
  const time = { session: `in the session ${name}`, day: `on ${name} (UTC)`, month: `in ${name} (UTC)`, total: 'in all' }[period];
  return [who, time].filter((part) => part !== '').join(' ');
}

function until({ period, endsAt }: BudgetWindow): string {
  return endsAt === undefined ? period === 'session' ? 'in this session' : 'for good' : `until ${new Date(endsAt).toISOString()}`;
}
