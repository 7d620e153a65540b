/** `loki-enterprise/policy`: judge contexts by a policy, from a project's files or from text (docs/policy.md). */
import type { PolicyDecision } from '../base/action.ts';
import type { Problem } from '../errors.ts';
import { resolveFrom } from '../base/paths.ts';
import { openInstallation } from '../app/installation.ts';
import { loadLayers, policyOf, readLayers } from '../app/policy.ts';
import { loadPolicyFile } from '../policy/load.ts';
import { ownSurroundings } from './surroundings.ts';

/** A project's policy with the layers above it, or one policy given as text. */
export type PolicyOrigin =
  | { readonly projectDir: string }
  | { readonly text: string; readonly filename?: string };

export interface LoadedPolicy {
  /** Judges one context at `pre_execution`, `pre_deployment`, `resource` or `data`. Never throws: what cannot be judged is denied. */
  evaluate(point: string, context: Readonly<Record<string, unknown>>, options?: { readonly explain?: boolean }): PolicyDecision;
  /** Mistakes in the files, with their places. With any, every decision is DENY. */
  readonly problems: readonly Problem[];
}

/** Loads a policy. A file with mistakes is loaded too, and denies everything. */
export async function loadPolicy(origin: PolicyOrigin): Promise<LoadedPolicy> {
  const surroundings = ownSurroundings();
  if ('text' in origin) {
    const file = loadPolicyFile({ text: origin.text, filename: origin.filename ?? 'policy', layer: 'project' });
    return policyOf(openInstallation(surroundings), [file]);
  }
  const installation = openInstallation(surroundings, { project: resolveFrom(surroundings.cwd, origin.projectDir) });
  return policyOf(installation, loadLayers(readLayers(installation)));
}

export type { Comparison, ExplainedCondition, ExplainedRule, Explanation, Finding, PolicyDecision, Violation } from '../base/action.ts';
export { LokiError } from '../errors.ts';
