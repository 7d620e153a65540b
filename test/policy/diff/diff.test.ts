/** What changes from one policy to another, and which way: told of what policies mean, and only where it is certain. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decisionRank } from '../../../lib/base/action.ts';
import { diffPolicies, type PolicyDiff } from '../../../lib/policy/diff/diff.ts';
import { createPolicy } from '../../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../../lib/policy/load.ts';
import { parts } from '../../support/policy.ts';
import { Draw } from '../../support/property.ts';
import { fileOfRules, linked, randomContexts, randomRule } from '../../support/random-rules.ts';
import { times } from '../../support/long.ts';

function diff(before: string, after: string): PolicyDiff {
  const [a, b] = [before, after].map((text, at) => loadPolicyFile({ text: `version: 1\n${text}`, filename: at === 0 ? 'a.yaml' : 'b.yaml', layer: 'organisation' }));
  assert.deepEqual([...a?.problems ?? [], ...b?.problems ?? []], []);
  if (a === undefined || b === undefined) throw new Error('no file');
  return diffPolicies(a, b);
}

const rules = (point: string, ...list: readonly string[]): string => `policies:\n  ${point}:\n${list.map((rule) => `    - ${rule}\n`).join('')}`;
const one = (before: string, after: string, point = 'pre_execution'): unknown => diff(rules(point, before), rules(point, after)).differences.map(({ change, direction, changes }) => [change, direction, changes.map(({ what, from, to }) => `${what}: ${String(from)} -> ${String(to)}`)]);

describe('which way a changed rule goes', () => {
  for (const [name, before, after, direction, changes] of [
    ['a stricter action', `{ name: a, rule: "active_agents <= 5", action: warn }`, `{ name: a, rule: "active_agents <= 5", action: deny }`, 'tightens', ['action: warn -> deny']],
    ['a weaker action', `{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: a, rule: "active_agents <= 5", action: require_approval }`, 'loosens', ['action: deny -> require_approval']],
    ['enforced, no longer watched', `{ name: a, rule: "active_agents <= 5", action: deny, mode: monitor }`, `{ name: a, rule: "active_agents <= 5", action: deny }`, 'tightens', ['mode: monitor -> enforce']],
    ['a lower limit', `{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: a, rule: "active_agents <= 3", action: deny }`, 'tightens', ['rule: active_agents <= 5 -> active_agents <= 3']],
    ['a narrower pattern', `{ name: a, when: 'command matches "git *"', action: deny }`, `{ name: a, when: 'command matches "git push *"', action: deny }`, 'loosens', ['when: command matches "git *" -> command matches "git push *"']],
    ['one more condition', `{ name: a, when: 'command matches "git *"', action: deny }`, `{ name: a, when: 'command matches "git *" and branch == "main"', action: deny }`, 'loosens', ['when: command matches "git *" -> command matches "git *" and branch == "main"']],
    ['one condition less', `{ name: a, when: 'command matches "git *" and branch == "main"', action: deny }`, `{ name: a, when: 'command matches "git *"', action: deny }`, 'changes', ['when: command matches "git *" and branch == "main" -> command matches "git *"']],
    ['another condition', `{ name: a, when: 'command matches "git *"', action: deny }`, `{ name: a, when: 'command matches "rm *"', action: deny }`, 'changes', ['when: command matches "git *" -> command matches "rm *"']],
    ['one way and the other', `{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: a, rule: "active_agents <= 3", action: warn }`, 'changes', ['action: deny -> warn', 'rule: active_agents <= 5 -> active_agents <= 3']],
    ['watched before and after', `{ name: a, rule: "active_agents <= 5", action: deny, mode: monitor }`, `{ name: a, rule: "active_agents <= 3", action: deny, mode: monitor }`, 'changes', ['rule: active_agents <= 5 -> active_agents <= 3']],
  ] as const) {
    test(name, () => assert.deepEqual(one(before, after), [['changed', direction, changes]]));
  }

  for (const [name, point, before, after, expected] of [
    ['more gates', 'pre_deployment', '{ name: g, gates: [a], action: deny }', '{ name: g, gates: [a, b], action: deny }', ['changed', 'tightens', ['gates: a -> a, b']]],
    ['other gates', 'pre_deployment', '{ name: g, gates: [a], action: deny }', '{ name: g, gates: [b], action: deny }', ['changed', 'changes', ['gates: a -> b']]],
    ['a smaller budget', 'resource', '{ name: b, max_tokens: 20, on_exceed: shutdown }', '{ name: b, max_tokens: 10, on_exceed: shutdown }', ['changed', 'tightens', ['max_tokens: 20 -> 10']]],
    ['a budget for fewer providers', 'resource', '{ name: b, max_tokens: 20, on_exceed: warn }', '{ name: b, max_tokens: 20, on_exceed: warn, providers: [claude] }', ['changed', 'loosens', ['providers: null -> claude']]],
    ['more patterns', 'data', '{ name: d, type: secret_detection, action: deny }', '{ name: d, type: secret_detection, patterns: ["x1"], action: deny }', ['changed', 'tightens', ['patterns:  -> x1']]],
    ['another kind of data', 'data', '{ name: d, type: secret_detection, action: deny }', '{ name: d, type: pii_scanning, action: deny }', ['changed', 'changes', ['type: secret_detection -> pii_scanning']]],
    ['a rule of another kind', 'resource', '{ name: b, max_tokens: 20, on_exceed: warn }', '{ name: b, rule: "tokens_consumed <= 20", action: warn }', ['changed', 'changes', ['kind: budget -> condition']]],
  ] as const) {
    test(name, () => assert.deepEqual(one(before, after, point), [expected]));
  }
});

test('an added rule tightens and a removed one loosens, with the place where it stands', () => {
  const found = diff(rules('pre_execution', `{ name: a, rule: "active_agents <= 5", action: deny }`), rules('pre_execution', `{ name: b, rule: "active_agents <= 5", action: deny }`));
  assert.deepEqual(found.differences.map(({ name, change, direction, before, after }) => [name, change, direction, before, after]), [['b', 'added', 'tightens', null, 'b.yaml:4:7'], ['a', 'removed', 'loosens', 'a.yaml:4:7', null]]);
  assert.deepEqual([found.same, found.direction], [false, 'changes']);
});

test('a watched rule that is removed decides nothing, so it loosens nothing', () => {
  assert.deepEqual(diff(rules('pre_execution', `{ name: a, rule: "active_agents <= 5", action: deny, mode: monitor }`), 'policies: {}\n').direction, 'changes');
});

test('order, comments, white space and lists in another order are no difference', () => {
  const a = rules('pre_deployment', '{ name: g, gates: [a, b], action: deny }', `{ name: h, when: 'environment == "prod"', gates: [c], action: deny }`);
  const b = `# ours\n\n${rules('pre_deployment', `{ name: h, when: ' environment   == "prod"', gates: [c], action: deny }`, '{ name: g, action: deny, gates: [b, a] }')}`;
  assert.deepEqual(diff(a, b), { same: true, direction: 'none', differences: [] });
});

test('the monitor switch of a file is told of each rule that it makes watched', () => {
  const body = rules('pre_execution', `{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: b, rule: "active_agents <= 6", action: deny, mode: enforce }`);
  assert.deepEqual(diff(body, `mode: monitor\n${body}`).differences.map(({ name, direction }) => [name, direction]), [['a', 'loosens']]);
});

test('approval gates: fewer who may approve, more who must, nobody who need not', () => {
  const gate = (body: string): string => rules('approval_gates', `{ name: g, phase: deploy, ${body} }`);
  const way = (before: string, after: string): unknown => diff(gate(before), gate(after)).differences.map(({ is, direction, changes }) => [is, direction, changes.map(({ what }) => what)]);
  assert.deepEqual(way('approvers: ["user:a", "user:b"]', 'approvers: ["user:a"]'), [['approval gate', 'tightens', ['approvers']]]);
  assert.deepEqual(way('approvers: ["user:a"]', 'required: 1'), [['approval gate', 'loosens', ['approvers']]]);
  assert.deepEqual(way('approvers: ["role:x"], required: 2', 'approvers: ["role:x"], required: 1'), [['approval gate', 'loosens', ['required']]]);
  assert.deepEqual(way('required: 1', 'required: 1, auto_approve_on_timeout: true'), [['approval gate', 'loosens', ['auto_approve_on_timeout']]]);
  assert.deepEqual(way('timeout_minutes: 5', 'timeout_minutes: 50'), [['approval gate', 'changes', ['timeoutMinutes']]]);
  assert.deepEqual(diff('policies: {}\n', gate('required: 1')).direction, 'tightens');
});

test('tests decide nothing: they are told, and the policies together go no way', () => {
  const tests = (body: string): string => `policies: {}\ntests:\n  - { name: t, point: pre_execution, ${body} }\n`;
  const found = diff(tests('context: { kind: other, tool: x }, expect: ALLOW'), tests('context: { tool: x, kind: other }, expect: DENY'));
  assert.deepEqual([found.direction, found.differences.map(({ is, direction, changes }) => [is, direction, changes])], ['none', [['test', 'none', [{ what: 'expect', from: 'ALLOW', to: 'DENY', direction: 'changes' }]]]]);
});

test('a way that is told is true over random rules and contexts', () => {
  const told = { tightens: 0, loosens: 0 };
  for (let seed = 1; seed <= times(1500, 600); seed += 1) {
    const draw = new Draw(seed);
    const rules = [randomRule(draw, 'r'), randomRule(draw, 'r')];
    const [before, after] = rules.map((rule) => fileOfRules([rule]));
    if (before === undefined || after === undefined || before.problems.length + after.problems.length > 0) continue;
    const { direction } = diffPolicies(before, after);
    if (direction !== 'tightens' && direction !== 'loosens') continue;
    told[direction] += 1;
    const [old, fresh] = [before, after].map((file) => createPolicy([file], { ...parts, probe: linked }));
    for (const context of randomContexts) {
      const [was, is] = [old, fresh].map((policy) => decisionRank[policy?.evaluate('pre_execution', context).decision ?? 'ALLOW']);
      assert.ok(direction === 'tightens' ? (is ?? 0) >= (was ?? 0) : (is ?? 0) <= (was ?? 0), `seed ${seed}: ${direction}\n${rules.join('\n')}\non ${JSON.stringify(context)}`);
    }
  }
  assert.ok(told.tightens > times(20, 5) && told.loosens > times(20, 5), JSON.stringify(told));
});
