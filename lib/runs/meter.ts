/**
 * What an agent says it has used, between two reports. A report keeps its id until it has been counted: when the budgets could
 * not be reached in between, it is made again and still counts once.
 */
import { newId } from '../base/ids.ts';
import { addTokens, noTokens, type ModelUsage, type TokenCounts, type UsageReport } from '../budgets/usage.ts';
import type { Usage } from './answer.ts';
import type { RunContext } from './context.ts';
import type { Progress } from './progress.ts';

/** Models told apart in one report: what an agent makes up beyond is an unnamed model. */
const mostModels = 50;
/** As in `prices`. An agent's word is shown to people and kept: what could be anything else than a name counts as none. */
const nameShape = /^[!-~]{1,200}$/;

/** Adds up one call's usage. */
export class Meter {
  readonly #context: RunContext;
  readonly #agent: string;
  #byModel = new Map<string | null, TokenCounts>();
  #microUsd = 0;
  #pending: UsageReport | undefined;

  constructor(context: RunContext, agent: string) {
    this.#context = context;
    this.#agent = agent;
  }

  use(usage: Usage): void {
    const model = this.#nameOf(usage.model);
    this.#byModel.set(model, addTokens(this.#byModel.get(model) ?? noTokens, tokensIn(usage)));
    this.#microUsd += this.#context.deps.microUsdOf?.(usage) ?? 0;
  }

  #nameOf(model: string | undefined): string | null {
    if (model === undefined || this.#byModel.has(model)) return model ?? null;
    return this.#byModel.size < mostModels && nameShape.test(model) && this.#context.deps.redact(model) === model ? model : null;
  }

  /** Whether anything was used since the last report. */
  get hasUsage(): boolean {
    return this.#byModel.size > 0;
  }

  /**
   * Counts what was used against the budgets, then adds it to the run's progress: a crash in between leaves it counted.
   * `ended`: the call has ended, and whether it reported any usage.
   */
  async report(ended?: { readonly metered: boolean }): Promise<void> {
    const { timeline } = this.#context;
    await this.#countPending();
    const usage: readonly ModelUsage[] = [...this.#byModel].map(([model, tokens]) => ({ model, tokens }));
    if (usage.length === 0 && ended === undefined) return;
    const microUsd = this.#microUsd;
    [this.#byModel, this.#microUsd] = [new Map(), 0];
    this.#pending = this.#reportOf(usage, ended);
    await this.#countPending();
    if (usage.length > 0) await timeline.write({ progress: (before) => withUsage(before, usage, microUsd) });
  }

  async #countPending(): Promise<void> {
    if (this.#pending === undefined) return;
    await this.#context.deps.countUsage?.(this.#pending);
    this.#pending = undefined;
  }

  #reportOf(usage: readonly ModelUsage[], ended: { readonly metered: boolean } | undefined): UsageReport {
    const { deps: { clock, random }, place, sessionId, provider } = this.#context;
    const at = clock.now();
    return {
      id: newId('event', at, random.bytes(10)), at, projectId: place.project.id, sessionId, agent: this.#agent, provider: provider.name, usage,
      calls: ended === undefined ? 0 : 1, unmetered: ended?.metered === false ? 1 : 0,
    };
  }
}

/** The tokens of a report. */
export function tokensIn({ input_tokens: input, output_tokens: output, cache_read_tokens: cacheRead = 0, cache_write_tokens: cacheWrite = 0 }: Usage): TokenCounts {
  return { input, output, cache_read: cacheRead, cache_write: cacheWrite };
}

/** Dollars are kept to the millionth: the sum of sums drifts no further than one of them is rounded. */
function withUsage(before: Progress, usage: readonly ModelUsage[], microUsd: number): Progress {
  const { input, output, cache_read: cacheRead, cache_write: cacheWrite } = usage.reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens);
  return {
    ...before, input_tokens: before.input_tokens + input + cacheRead + cacheWrite, output_tokens: before.output_tokens + output,
    cost_usd: Math.round(before.cost_usd * 1e6 + microUsd) / 1e6,
  };
}
