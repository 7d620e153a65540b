/** The report of `loki policy check`: every problem, every rule with its origin, rules that add nothing, test results. */
import type { Problem } from '../errors.ts';
import { createPolicy } from './evaluate.ts';
import type { PolicyParts, RuleFacts } from './evaluate.ts';
import { loadPolicyFile } from './load.ts';
import type { PolicyFile, PolicySource, Rule } from './rules.ts';
import { runPolicyTests } from './self-test.ts';
import type { PolicyTestResult } from './self-test.ts';

export interface PolicyReport {
  /** Usable: no problems and no failing test. */
  readonly ok: boolean;
  readonly digest: string;
  readonly files: readonly { readonly filename: string; readonly layer: string; readonly rules: number; readonly tests: number }[];
  readonly problems: readonly Problem[];
  readonly rules: readonly RuleFacts[];
  /** Rules that say the same as another rule that is at least as strict, in sentences. */
  readonly duplicates: readonly Problem[];
  readonly tests: readonly PolicyTestResult[];
}

/** Checks policies given as text, or already loaded, earlier layers first. */
export function checkPolicy(sources: readonly (PolicySource | PolicyFile)[], parts: PolicyParts): PolicyReport {
  const files = sources.map((source) => 'text' in source ? loadPolicyFile(source) : source);
  const policy = createPolicy(files, parts);
  const tests = policy.problems.length > 0 ? [] : runPolicyTests(policy);
  return {
    ok: policy.problems.length === 0 && tests.every((test) => test.passed),
    digest: policy.digest,
    files: files.map(({ filename, layer, rules, tests: own }) => ({ filename, layer, rules: rules.length, tests: own.length })),
    problems: policy.problems,
    rules: policy.rules.map(({ name, point, layer, place, action, monitor }) => ({ name, point, layer, place, action, monitor })),
    duplicates: duplicatesOf(policy.rules),
    tests,
  };
}

const strictness = { allow: 0, warn: 1, require_approval: 2, deny: 3 } as const;

function duplicatesOf(rules: readonly Rule[]): readonly Problem[] {
  const seen = new Map<string, Rule>();
  return rules.flatMap((rule): Problem[] => {
    const key = substanceOf(rule);
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, rule);
      return [];
    }
    const [kept, idle] = strictness[rule.action] > strictness[earlier.action] ? [rule, earlier] : [earlier, rule];
    seen.set(key, kept);
    return [{ message: `"${idle.name}" adds nothing: "${kept.name}" (${kept.place}) says the same${strictness[kept.action] > strictness[idle.action] ? ' and is stricter' : ''}`, file: filenameOf(idle), line: idle.line, column: idle.column }];
  });
}

/** What a rule checks, as text; its name, place and action left out. */
function substanceOf(rule: Rule): string {
  const own = rule.is === 'gates' ? rule.gates : rule.is === 'budget' ? [rule.maxTokens, rule.maxMicroUsd, rule.per, rule.period, rule.providers] : rule.is === 'data' ? [rule.type, rule.minConfidence, rule.patterns.map(({ source }) => source)] : [];
  return JSON.stringify([rule.point, rule.is, rule.monitor, rule.when?.text, rule.rule?.text, own]);
}

function filenameOf(rule: Rule): string {
  return rule.place.replace(/:\d+:\d+$/, '');
}
