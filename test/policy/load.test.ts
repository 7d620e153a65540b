/** Strict policies: every mistake is an error with its place, and all of them are told at once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { choosePolicyFile, loadPolicyFile, unreadablePolicyFile } from '../../lib/policy/load.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { parts, policyOf } from '../support/policy.ts';

function problems(text: string, layer: 'project' | 'organisation' = 'project'): string[] {
  return loadPolicyFile({ text, filename: 'p.yaml', layer }).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const rule = (body: string): string => `version: 1\npolicies:\n  pre_execution:\n    - ${body}\n`;

describe('a policy file with mistakes', () => {
  test('names every one of them with its place and the word that was meant', () => {
    const found = problems(`version: 2
polices: {}
policies:
  pre_exectuion:
    - name: x
  pre_execution:
    - name: a
      rule: "file_pth must start with project_dir"
      action: dney
    - name: a
      whn: 'kind == "exec"'
      action: deny
`);
    assert.deepEqual(found, [
      '1:10 version 2 is not known; this program reads version 1',
      '2:1 "polices" is not a key of the policy file (did you mean "policies"?)',
      '4:3 "pre_exectuion" is not a key of policies (did you mean "pre_execution"?)',
      '8:14 rule: "file_pth" is not a field of this enforcement point (did you mean "file_path"?)',
      '9:15 "dney" is not a value of action (did you mean "deny"?)',
      '10:7 the name "a" is already used at line 7',
      '10:7 the rule "a" says nothing to check',
      '11:7 "whn" is not a key of a pre_execution rule (did you mean "when"?)',
    ]);
  });

  test('shows the line with a caret', () => {
    const [problem] = loadPolicyFile({ text: rule('{ name: a, rule: "x == 1", action: deny }'), filename: 'p.yaml', layer: 'project' }).problems;
    assert.equal(problem?.excerpt, '    - { name: a, rule: "x == 1", action: deny }\n                        ^');
    assert.equal(problem?.file, 'p.yaml');
  });

  for (const [name, text, message] of [
    ['empty', '', '1:1 the policy file is empty'],
    ['only white space', ' \n\n', '1:1 the policy file is empty'],
    ['no version', 'policies: {}\n', '1:1 version is missing'],
    ['version as text', 'version: "1"\npolicies: {}\n', '1:10 version "1" is not known; this program reads version 1'],
    ['no policies', 'version: 1\n', '1:1 policies is missing'],
    ['a list', '- 1\n', '1:1 the policy file must be a mapping, not a list'],
    ['rules that are no list', 'version: 1\npolicies:\n  pre_execution: {}\n', '3:18 pre_execution must be a list, not a mapping'],
    ['a rule without name', rule('{ rule: "active_agents < 5", action: deny }'), '4:7 a pre_execution rule has no name'],
    ['a rule without action', rule('{ name: a, rule: "active_agents < 5" }'), '4:7 the rule "a" has no action'],
    ['an expression that is no text', rule('{ name: a, rule: true, action: deny }'), '4:24 rule must be an expression in quotes, not the boolean true'],
    ['an unknown kind', rule(`{ name: a, when: 'kind == "fs.wirte"', action: deny }`), '4:33 when: "fs.wirte" is no kind (did you mean "fs.write"?); known: exec, fs.read, fs.write, fs.delete, net, mcp, agent, prompt, other'],
    ['an unknown mode', rule('{ name: a, rule: "active_agents < 5", action: deny, mode: audit }'), '4:65 "audit" is not a value of mode'],
    ['a field of another point', rule('{ name: a, rule: "tokens_consumed < 5", action: deny }'), '4:25 rule: "tokens_consumed" is not a field of this enforcement point'],
    ['a rule no action can meet', rule(`{ name: a, when: 'command matches "x" and url matches "y"', action: deny }`), '4:7 no kind of action can meet this rule: the fields and kinds it names exclude each other'],
    ['a rule its kind excludes', rule(`{ name: a, when: 'kind == "exec"', rule: "file_path must start with project_dir", action: deny }`), '4:7 no kind of action can meet this rule: the fields and kinds it names exclude each other'],
    ['a reserved name', rule('{ name: "builtin:x", rule: "active_agents < 5", action: deny }'), '4:7 names that begin with "builtin:" belong to the built-in rules'],
    ['a budget without on_exceed', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5 }\n', '4:7 the budget "b" has no on_exceed'],
    ['a budget without a limit', 'version: 1\npolicies:\n  resource:\n    - { name: b, on_exceed: warn }\n', '4:7 the budget "b" has neither max_tokens nor max_usd'],
    ['a budget that is only a period', 'version: 1\npolicies:\n  resource:\n    - { name: b, period: day }\n', '4:7 the budget "b" has neither max_tokens nor max_usd'],
    ['a budget of no money', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_usd: 0, on_exceed: warn }\n', '4:27 max_usd must be an amount from 0.000001 to 1000000000 US dollars with at most six decimals, not 0'],
    ['a budget of parts of a millionth', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_usd: 0.0000015, on_exceed: warn }\n', '4:27 max_usd must be an amount from 0.000001 to 1000000000 US dollars with at most six decimals, not 0.0000015'],
    ['a budget of text', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_usd: "5 USD", on_exceed: warn }\n', '4:27 max_usd must be an amount from 0.000001 to 1000000000 US dollars with at most six decimals, not "5 USD"'],
    ['a budget per something unknown', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, per: agnet, on_exceed: warn }\n', '4:38 "agnet" is not a value of per (did you mean "agent"?)'],
    ['a budget by the week', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, period: dya, on_exceed: warn }\n', '4:41 "dya" is not a value of period (did you mean "day"?)'],
    ['a session by the day', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, per: session, period: day, on_exceed: warn }\n', '4:55 a budget per session has no period day'],
    ['a budget with a rule', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, rule: "tokens_consumed < 4", on_exceed: warn }\n', '4:39 a budget has no rule; its limits and on_exceed say it'],
    ['a mistyped key of a budget', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, max_usdd: 5, on_exceed: warn }\n', '4:33 "max_usdd" is not a key of a resource rule (did you mean "max_usd"?)'],
    ['an alert over 100', 'version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 5, alerts: [101], on_exceed: warn }\n', '4:42 an alert must be a whole number from 1 to 100, not 101'],
    ['a data rule of unknown type', 'version: 1\npolicies:\n  data:\n    - { name: d, type: secrets_detection, action: deny }\n', '4:24 "secrets_detection" is not a value of type (did you mean "secret_detection"?)'],
    ['an approver without a kind', 'version: 1\npolicies:\n  approval_gates:\n    - { name: g, phase: deploy, approvers: [alice] }\n', '4:45 the approver "alice" must read role:NAME, user:NAME or token:NAME'],
    ['more approvals than approvers', 'version: 1\npolicies:\n  approval_gates:\n    - { name: g, phase: deploy, approvers: ["user:a"], required: 2 }\n', '4:66 required is 2, and only 1 can approve'],
    ['a test of an unknown rule', `version: 1\npolicies: { pre_execution: [{ name: limit, rule: "active_agents < 5", action: deny }] }\ntests:\n  - { name: t, point: pre_execution, context: {}, expect: DENY, by: limt }\n`, '4:69 there is no rule "limt" (did you mean "limit"?)'],
    ['a test with an unknown field', 'version: 1\npolicies: {}\ntests:\n  - { name: t, point: pre_execution, context: { file: x }, expect: DENY }\n', '4:49 "file" is not a key of a pre_execution context'],
  ] as const) {
    test(`is refused: ${name}`, () => assert.deepEqual(problems(text).slice(0, 1), [message]));
  }

  test('is refused when it is no YAML, with the place the reader gives', () => {
    const [problem] = loadPolicyFile({ text: 'version: 1\npolicies: {a: [}\n', filename: 'p.yaml', layer: 'project' }).problems;
    assert.equal(problem?.line, 2);
  });

  test('denies at every point, with place and count, whatever is asked', () => {
    const policy = policyOf('version: 3\npolicies: { nothing: [] }\n');
    for (const point of ['pre_execution', 'pre_deployment', 'resource', 'data']) {
      const decision = policy.evaluate(point, { kind: 'other' });
      assert.equal(decision.decision, 'DENY');
      assert.equal(decision.reason, 'policies.yaml:1:10: version 3 is not known; this program reads version 1 (and 1 more). The policy cannot be used until it is corrected: loki policy check');
    }
  });

  test('that cannot be read denies with the reason', () => {
    const policy = createPolicy([unreadablePolicyFile('/etc/loki/policies.yaml', 'organisation', 'permission denied')], parts);
    const decision = policy.evaluate('pre_execution', { kind: 'other' });
    assert.equal(decision.decision, 'DENY');
    assert.match(decision.reason, /^\/etc\/loki\/policies\.yaml: permission denied/);
  });

  test('does not make more problems than a person can read', () => {
    assert.equal(problems(`version: 1\npolicies: {}\n${Array.from({ length: 5000 }, (_, n) => `k${n}: 1\n`).join('')}`).length, 100);
  });
});

describe('what only some layers may say', () => {
  const text = 'version: 1\npolicies:\n  approval_gates:\n    - { name: g, phase: deploy, approvers: ["role:admin"], auto_approve_on_timeout: true }\n';
  test('a project cannot approve by waiting', () => assert.deepEqual(problems(text), ["4:85 auto_approve_on_timeout is only for an organisation's policy"]));
  test('an organisation can', () => assert.deepEqual(problems(text, 'organisation'), []));
});

describe('JSON policies', () => {
  test('mean the same as YAML', () => {
    const policy = policyOf(JSON.stringify({ version: 1, policies: { pre_execution: [{ name: 'limit', rule: 'active_agents <= 5', action: 'deny' }] } }));
    assert.deepEqual(policy.problems, []);
    assert.equal(policy.evaluate('pre_execution', { kind: 'other', active_agents: 6 }).decision, 'DENY');
  });
});

describe('which file is the policy', () => {
  test('is the one that exists', () => {
    assert.equal(choosePolicyFile(['config.yaml', 'policies.json']), 'policies.json');
    assert.equal(choosePolicyFile(['config.yaml']), undefined);
  });
  test('is an error when two exist, so that none can shadow the other', () => {
    assert.throws(() => choosePolicyFile(['policies.yaml', 'policies.json']), (error) => error instanceof LokiError && error.code === 'policy.invalid'
      && error.message === 'Cannot choose a policy file: both policies.yaml and policies.json exist');
  });
});

describe('patterns of data rules', () => {
  const data = (pattern: string): string[] => problems(`version: 1\npolicies:\n  data:\n    - name: d\n      action: deny\n      patterns:\n        - '${pattern}'\n`);
  for (const [pattern, why] of [
    ['(a+)+b', 'repeats a group that itself repeats or branches, which can take exponential time'],
    ['(a|aa)+b', 'repeats a group that itself repeats or branches, which can take exponential time'],
    ['((a?)+)+b', 'repeats a group that itself repeats or branches, which can take exponential time'],
    ['.*.*x', 'has repeats that can trade characters with each other; bound them, for example {1,20}'],
    ['a*a*a*b', 'has repeats that can trade characters with each other; bound them, for example {1,20}'],
    ['(a)\\1', 'refers back to a group, which is not supported'],
    ['(?=a)b', 'looks around, which is not supported'],
    ['a*', 'matches empty text'],
    ['[', 'is not a regular expression: Unterminated character class'],
  ] as const) {
    test(`${pattern} is refused`, () => assert.deepEqual(data(pattern), [`7:11 the pattern ${JSON.stringify(pattern)} ${why}`]));
  }
  for (const pattern of ['ACME-[0-9]{6}', '\\bproj-[a-z]+-[0-9]+\\b', '(?:foo|bar)-\\d+', 'key=[\\w-]{20,64}']) {
    test(`${pattern} is accepted`, () => assert.deepEqual(data(pattern), []));
  }
});
