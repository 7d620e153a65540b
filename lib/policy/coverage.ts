/**
 * Which rules the tests of a policy reach. A rule counts as reached when a test violates it: one that is only ever held, or
 * denies because something is missing, could say anything and no test would notice.
 */
import type { ExplainedRule } from '../base/action.ts';
import type { Policy, RuleFacts } from './evaluate.ts';
import type { PolicyTest } from './rules.ts';
import { resultOf, type PolicyTestResult } from './self-test.ts';

/** How far tests have got with a rule. */
export type Reach = 'violated' | 'applied' | 'never applied';

export interface RuleCoverage extends Pick<RuleFacts, 'name' | 'point' | 'layer' | 'place' | 'action'> {
  readonly reach: Reach;
  /** Tests that violate the rule. */
  readonly tests: number;
}

export interface Coverage {
  readonly tests: readonly PolicyTestResult[];
  readonly rules: readonly RuleCoverage[];
  readonly reached: number;
  /** Percent of the rules that are reached, rounded down; 100 where there are no rules. */
  readonly percent: number;
}

/** Runs the tests that are `wanted`, and counts what they reach. */
export function runWithCoverage(policy: Policy, wanted: (test: PolicyTest) => boolean = () => true): Coverage {
  const applied = new Set<string>();
  const violated = new Map<string, number>();
  const tests = policy.files.flatMap((file) => file.tests).filter(wanted).map((test) => {
    const decision = policy.evaluate(test.point, test.context, { explain: true });
    const seen = new Set<string>();
    for (const rule of decision.explain?.rules ?? []) note(rule, seen, applied);
    for (const key of seen) violated.set(key, (violated.get(key) ?? 0) + 1);
    return resultOf(test, decision);
  });
  const rules = policy.rules.map(({ name, point, layer, place, action }): RuleCoverage => {
    const count = violated.get(keyOf({ name, place })) ?? 0;
    return { name, point, layer, place, action, reach: count > 0 ? 'violated' : applied.has(keyOf({ name, place })) ? 'applied' : 'never applied', tests: count };
  });
  const reached = rules.filter(({ reach }) => reach === 'violated').length;
  return { tests, rules, reached, percent: rules.length === 0 ? 100 : Math.floor(reached * 100 / rules.length) };
}

function note(rule: ExplainedRule, seen: Set<string>, applied: Set<string>): void {
  if (rule.result === 'violated') seen.add(keyOf(rule));
  else if (rule.result !== 'not applicable') applied.add(keyOf(rule));
}

function keyOf({ name, place }: Pick<ExplainedRule, 'name' | 'place'>): string {
  return `${place} ${name}`;
}
