/**
 * Holds what an agent does against the log of record: behind each thing done stands a decision that allowed it. Hooks may be missing
 * for reasons that no preparation finds (switched off in settings of the machine, a new version of the agent), and an agent whose
 * hooks are missing says nothing about it; here it shows. Compared are calls and decisions of one call of the provider.
 */
import type { DecisionView } from './deps.ts';
import type { Provider, ToolUse } from './provider.ts';

/** What nobody was asked about, in words. */
export type Unasked = string;

/** Acts that are remembered; so many without a decision end the call long before. */
const mostActs = 10_000;

interface Act {
  readonly id: string;
  readonly words: string;
}

export class ToolWatch {
  readonly #shows: Provider['shows'];
  /** Things done that no decision is known for yet. */
  #acts: Act[] = [];
  #begun: Act | undefined;
  #decisions = 0;
  /** Permissions that no act was found for yet: by id, or as many as there are. */
  readonly #permitted = new Set<string>();
  #permissions = 0;

  constructor(shows: Provider['shows']) {
    this.#shows = shows;
  }

  saw(use: ToolUse): void {
    const act = { id: use.id, words: `${use.tool} ${use.target}`.trim() };
    this.#begun ??= act;
    if (use.state === 'ended' && use.acted && this.#acts.length < mostActs) this.#acts.push(act);
  }

  /** To be taken before the log is read: a decision is on the medium before what it allows is done. */
  get sofar(): Sofar {
    return { acts: [...this.#acts], begun: this.#begun };
  }

  decided(views: readonly DecisionView[]): void {
    this.#decisions += views.length;
    // What a person said is judged too, and allows no tool.
    for (const view of views) {
      if (view.decision !== 'ALLOW' || view.kind === 'prompt') continue;
      this.#permissions += 1;
      if (view.call_id !== undefined) this.#permitted.add(view.call_id);
    }
  }

  /** What stands in `sofar` and nobody decided; undefined when there is nothing. Agents ask about the prompt first: before any call something was decided. */
  unasked({ acts, begun }: Sofar): Unasked | undefined {
    if (this.#shows === undefined) return undefined;
    if (begun !== undefined && this.#decisions === 0) return begun.words;
    const found = this.#shows === 'ids' ? acts.find(({ id }) => !this.#permitted.has(id)) : acts[this.#permissions];
    if (found !== undefined) return found.words;
    const settled = new Set(acts);
    this.#acts = this.#acts.filter((act) => !settled.has(act));
    for (const { id } of acts) this.#permitted.delete(id);
    this.#permissions -= this.#shows === 'counts' ? acts.length : 0;
    return undefined;
  }
}

/** A moment of it. */
export interface Sofar {
  readonly acts: readonly Act[];
  readonly begun: Act | undefined;
}
