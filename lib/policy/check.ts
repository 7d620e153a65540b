/** The report of `loki policy check`: every problem, every rule with its origin, what is suspicious about them, test results. */
import type { Problem } from '../errors.ts';
import { createPolicy } from './evaluate.ts';
import type { PolicyParts, RuleFacts } from './evaluate.ts';
import { lintPolicy, type LintFinding } from './lint/lint.ts';
import { loadPolicyFile } from './load.ts';
import type { ApprovalGate, PolicyFile, PolicySource } from './rules.ts';
import { runPolicyTests } from './self-test.ts';
import type { PolicyTestResult } from './self-test.ts';

export interface PolicyReport {
  /** Usable: no problems and no failing test. */
  readonly ok: boolean;
  readonly digest: string;
  readonly files: readonly { readonly filename: string; readonly layer: string; readonly rules: number; readonly tests: number }[];
  readonly problems: readonly Problem[];
  /** The rules of all layers, in the order in which they are asked. */
  readonly rules: readonly RuleFacts[];
  readonly approval_gates: readonly Pick<ApprovalGate, 'name' | 'phase' | 'approvers' | 'required' | 'layer' | 'place'>[];
  /** Rules that can never decide, never apply, add nothing, or are only watched; a policy with some is usable all the same. */
  readonly findings: readonly LintFinding[];
  readonly tests: readonly PolicyTestResult[];
}

/** Checks policies given as text, or already loaded, earlier layers first. */
export function checkPolicy(sources: readonly (PolicySource | PolicyFile)[], parts: PolicyParts): PolicyReport {
  const files = sources.map((source) => 'text' in source ? loadPolicyFile(source) : source);
  const policy = createPolicy(files, parts);
  const isUsable = policy.problems.length === 0;
  const tests = isUsable ? runPolicyTests(policy) : [];
  return {
    ok: isUsable && tests.every((test) => test.passed),
    digest: policy.digest,
    files: files.map(({ filename, layer, rules, tests: own }) => ({ filename, layer, rules: rules.length, tests: own.length })),
    problems: policy.problems,
    rules: policy.rules.map(({ name, point, layer, place, action, monitor }) => ({ name, point, layer, place, action, monitor })),
    approval_gates: files.flatMap((file) => file.approvalGates).map(({ name, phase, approvers, required, layer, place }) => ({ name, phase, approvers, required, layer, place })),
    findings: isUsable ? lintPolicy(files) : [],
    tests,
  };
}
