/** The tests that stand in a policy: each asks the policy about one context and compares the decision. */
import type { Decision, PolicyDecision } from '../base/action.ts';
import type { Policy } from './evaluate.ts';
import type { PolicyTest } from './rules.ts';

export interface PolicyTestResult {
  readonly name: string;
  readonly place: string;
  readonly passed: boolean;
  readonly expected: Decision;
  readonly decision: Decision;
  /** Why it failed, or why the policy decided as expected. */
  readonly because: string;
  /** Rules that were violated. */
  readonly reached: readonly string[];
}

/** Runs every test of every file against the whole policy, in order. */
export function runPolicyTests(policy: Policy): readonly PolicyTestResult[] {
  return policy.files.flatMap((file) => file.tests).map((test) => resultOf(test, policy.evaluate(test.point, test.context)));
}

/** What a decision means to the test that asked for it. */
export function resultOf(test: PolicyTest, decision: PolicyDecision): PolicyTestResult {
  const failure = failureOf(test, decision);
  return {
    name: test.name, place: test.place, passed: failure === undefined, expected: test.expect, decision: decision.decision,
    because: failure ?? decision.reason, reached: decision.violations.map(({ name }) => name),
  };
}

function failureOf(test: PolicyTest, decision: PolicyDecision): string | undefined {
  if (decision.decision !== test.expect) return `expected ${test.expect}, found ${decision.decision}: ${decision.reason}`;
  if (test.by === undefined || decision.violations.some(({ name }) => name === test.by)) return undefined;
  const others = decision.violations.map(({ name }) => `"${name}"`).join(', ');
  return `expected the rule "${test.by}" to be violated, found ${others === '' ? 'none' : others}`;
}
