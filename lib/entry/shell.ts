/** `loki-enterprise/shell`: what a shell command is found to do, and what about it cannot be told (docs/policy.md). */
import { analyzeCommand as analyze } from '../policy/shell/analyze.ts';
import type { Action } from '../base/action.ts';

/** What a command does. */
export interface CommandAnalysis {
  readonly actions: readonly Action[];
  /** Why the command cannot be understood in full; empty when it can. */
  readonly uncertain: readonly string[];
}

/** Reads a command as a shell would, without running it. Relative paths are kept; `cwd` is where they start. */
export function analyzeCommand(command: string, options: { readonly cwd?: string } = {}): CommandAnalysis {
  const { actions, uncertain } = analyze(command, options);
  return { actions, uncertain };
}

export type { Action } from '../base/action.ts';
