/** Tests inside a policy, the report of a check, and the policy that a project starts with. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPolicy } from '../../lib/policy/check.ts';
import { runWithCoverage } from '../../lib/policy/coverage.ts';
import { initialPolicyText } from '../../lib/policy/initial.ts';
import { runPolicyTests } from '../../lib/policy/self-test.ts';
import { parts, policyOf } from '../support/policy.ts';

const text = `version: 1
policies:
  pre_execution:
    - { name: limit, rule: "active_agents <= 5", action: deny }
    - { name: again, rule: "active_agents <= 5", action: warn }
tests:
  - { name: six are too many, point: pre_execution, context: { kind: other, active_agents: 6 }, expect: DENY, by: limit }
  - { name: four are too many, point: pre_execution, context: { kind: other, active_agents: 4 }, expect: DENY }
  - { name: by the wrong rule, point: pre_execution, context: { kind: other }, expect: DENY, by: again }
`;

test('tests say what they expected and what they found', () => {
  assert.deepEqual(runPolicyTests(policyOf(text)).map(({ name, place, passed, because }) => [name, place, passed, because]), [
    ['six are too many', 'policies.yaml:7:5', true, 'Rule "limit" (policies.yaml:4:7): "active_agents <= 5" does not hold; active_agents is 6 (and 1 more)'],
    ['four are too many', 'policies.yaml:8:5', false, 'expected DENY, found ALLOW: No rule was violated'],
    ['by the wrong rule', 'policies.yaml:9:5', true, 'Rule "limit" (policies.yaml:4:7) cannot be evaluated: active_agents is missing (and 1 more)'],
  ]);
});

test('a test that names another rule than the one that decides fails', () => {
  const policy = policyOf(text.replace('active_agents: 6 }, expect: DENY, by: limit', 'active_agents: 5 }, expect: ALLOW, by: limit'));
  assert.equal(runPolicyTests(policy)[0]?.because, 'expected the rule "limit" to be violated, found none');
});

describe('the report of a check', () => {
  test('lists rules with their origin, rules that add nothing, and fails with its tests', () => {
    const report = checkPolicy([{ text, filename: 'policies.yaml', layer: 'project' }], parts);
    assert.equal(report.ok, false);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(report.rules[0], { name: 'limit', point: 'pre_execution', layer: 'project', place: 'policies.yaml:4:7', action: 'deny', monitor: false });
    assert.deepEqual(report.findings.map(({ kind, rule, file, line, column }) => [kind, rule, file, line, column]), [['shadowed', 'again', 'policies.yaml', 5, 7]]);
    assert.deepEqual(report.files, [{ filename: 'policies.yaml', layer: 'project', rules: 2, tests: 3 }]);
  });
  test('does not run the tests of a policy with problems', () => {
    const report = checkPolicy([{ text: text.replace('active_agents <=', 'active_agnts <='), filename: 'policies.yaml', layer: 'project' }], parts);
    assert.equal(report.ok, false);
    assert.equal(report.problems.length, 1);
    assert.deepEqual(report.tests, []);
  });
});

describe('coverage', () => {
  const coverage = (tests: string): readonly (readonly [string, string, number])[] => runWithCoverage(policyOf(text.slice(0, text.indexOf('tests:')) + tests)).rules.map(({ name, reach, tests: count }) => [name, reach, count]);
  const ask = (context: string): string => `  - { name: t${context.length}, point: pre_execution, context: { kind: other${context} }, expect: ALLOW }\n`;
  test('counts a rule as reached when a test violates it', () => assert.deepEqual(coverage(`tests:\n${ask(', active_agents: 6')}${ask(', active_agents: 70')}`), [['limit', 'violated', 2], ['again', 'violated', 2]]));
  test('tells a rule that applies and holds, or that lacks a field, from one that no test meets', () => {
    assert.deepEqual(coverage(`tests:\n${ask(', active_agents: 5')}`), [['limit', 'applied', 0], ['again', 'applied', 0]]);
    assert.deepEqual(coverage(`tests:\n${ask('')}`), [['limit', 'applied', 0], ['again', 'applied', 0]]);
    assert.deepEqual(coverage(''), [['limit', 'never applied', 0], ['again', 'never applied', 0]]);
  });
  test('is a percentage, rounded down, and whole where there is nothing to reach', () => {
    const third = policyOf('version: 1\npolicies:\n  pre_execution:\n    - { name: a, rule: "active_agents <= 5", action: deny }\n    - { name: b, rule: "active_agents <= 50", action: deny }\n    - { name: c, rule: "active_agents <= 500", action: deny }\ntests:\n  - { name: t, point: pre_execution, context: { kind: other, active_agents: 60 }, expect: DENY }\n');
    assert.deepEqual([runWithCoverage(third).reached, runWithCoverage(third).percent, runWithCoverage(policyOf('version: 1\npolicies: {}\n')).percent], [2, 66, 100]);
  });
});

describe('the policy that loki init writes', () => {
  test('passes its own check', () => {
    const report = checkPolicy([{ text: initialPolicyText(), filename: 'policies.yaml', layer: 'project' }], parts);
    assert.deepEqual([report.problems, report.tests.filter(({ passed }) => !passed), report.findings], [[], [], []]);
    assert.equal(report.ok, true);
    assert.ok(report.tests.length >= 6);
  });
  test('with monitor stops nothing', () => {
    const policy = policyOf(initialPolicyText({ monitor: true }));
    assert.deepEqual(policy.problems, []);
    const decision = policy.evaluate('pre_execution', { kind: 'fs.write', file_path: '/etc/passwd', project_dir: '/p' });
    assert.deepEqual([decision.decision, decision.violations[0]?.name, decision.violations[0]?.monitor], ['ALLOW', 'project-boundary', true]);
  });
  test('denies destruction and lets work pass', () => {
    const policy = policyOf(initialPolicyText());
    const decide = (command: string): string => policy.evaluate('pre_execution', { kind: 'exec', command, project_dir: '/p' }).decision;
    for (const command of ['rm -rf /', 'rm -rf /*', 'rm -rf ~', 'mkfs.ext4 /dev/sda', 'dd if=x of=/dev/sda', 'git push -f', 'git push origin +main', 'git clean -fdx', 'sh -c "git push --force"']) assert.equal(decide(command), 'DENY', command);
    for (const command of ['git reset --hard', 'git clean -fd', 'sudo ls']) assert.equal(decide(command), 'REQUIRE_APPROVAL', command);
    for (const command of ['npm test', 'git push origin main', 'rm -rf node_modules', 'git commit -m "no more git push --force"']) assert.equal(decide(command), 'ALLOW', command);
  });
});
