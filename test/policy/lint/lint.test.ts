/** What is said about rules that make no difference: it is said of those, of no others, and with what would still matter. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPolicy } from '../../../lib/policy/evaluate.ts';
import { lintPolicy, type LintFinding } from '../../../lib/policy/lint/lint.ts';
import { loadPolicyFile } from '../../../lib/policy/load.ts';
import type { Layer, PolicyFile } from '../../../lib/policy/rules.ts';
import { Draw } from '../../support/property.ts';
import { fileOfRules, linked, randomContexts, randomRule } from '../../support/random-rules.ts';
import { parts } from '../../support/policy.ts';
import { times } from '../../support/long.ts';

function fileOf(point: string, rules: readonly string[], layer: Layer = 'project', filename = 'p.yaml'): PolicyFile {
  const file = loadPolicyFile({ text: `version: 1\npolicies:\n  ${point}:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`, filename, layer });
  assert.deepEqual(file.problems, []);
  return file;
}

function lint(...rules: readonly string[]): readonly LintFinding[] {
  return lintPolicy([fileOf('pre_execution', rules)]);
}

const said = (found: readonly LintFinding[]): readonly string[] => found.map(({ message }) => message);

describe('a rule that never decides', () => {
  for (const [name, rules, message] of [
    ['a stricter rule has the same condition', [`{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: b, rule: "active_agents <= 5", action: warn }`],
      '"b" never decides: "a" (p.yaml:4:7) is violated exactly when it is, and is stricter'],
    ['a stricter rule has a wider pattern', [`{ name: a, when: 'command matches "git push *"', action: deny }`, `{ name: b, when: 'command matches "git push * --force"', action: require_approval }`],
      '"b" never decides: "a" (p.yaml:4:7) is violated whenever it is, and is stricter'],
    ['a stricter rule covers its whole kind, whatever is missing', [`{ name: a, when: 'kind == "net"', action: deny }`, `{ name: b, when: 'url matches "https://x.test/*" and branch == "main"', action: warn }`],
      '"b" never decides: "a" (p.yaml:4:7) is violated whenever it is, and is stricter'],
    ['a stricter limit is lower', [`{ name: b, rule: "active_agents <= 10", action: warn }`, `{ name: a, rule: "active_agents <= 5", action: deny }`],
      '"b" never decides: "a" (p.yaml:5:7) is violated whenever it is, and is stricter'],
    ['what would still matter is named', [`{ name: a, when: 'branch == "main"', action: deny }`, `{ name: b, when: 'branch == "main" and phase == "deploy"', action: warn }`],
      '"b" never decides: "a" (p.yaml:4:7) is violated whenever it is, and is stricter; it may still deny where phase is missing'],
    ['another does the same', [`{ name: a, when: 'tool in ["A", "B"]', action: deny }`, `{ name: b, when: 'tool == "A"', action: deny }`],
      '"b" adds nothing: "a" (p.yaml:4:7) is violated whenever it is, and does the same'],
    ['another, later, does the same and more', [`{ name: b, when: 'tool == "A"', action: deny }`, `{ name: a, when: 'tool in ["A", "B"]', action: deny }`],
      '"b" adds nothing: "a" (p.yaml:5:7) is violated whenever it is, and does the same'],
    ['another says the same in other words', [`{ name: a, when: 'tool != "A" and kind == "mcp"', action: deny }`, `{ name: b, when: 'not (kind != "mcp" or tool == "A")', action: deny }`],
      '"b" adds nothing: "a" (p.yaml:4:7) says the same'],
    ['a kind is one of several', [`{ name: a, when: 'kind in ["fs.write", "fs.delete"]', rule: "file_path must start with project_dir", action: deny }`, `{ name: b, when: 'kind == "fs.write"', rule: "file_path must start with project_dir", action: deny }`],
      '"b" adds nothing: "a" (p.yaml:4:7) is violated whenever it is, and does the same'],
    ['a set is matched by a pattern', [`{ name: a, when: 'branch matches "release/*"', action: deny }`, `{ name: b, when: 'branch in ["release/1", "release/2"]', action: deny }`],
      '"b" adds nothing: "a" (p.yaml:4:7) is violated whenever it is, and does the same'],
    ['a part is part of a part', [`{ name: a, when: 'command contains "push"', action: deny }`, `{ name: b, when: 'command contains "git push"', action: deny }`],
      '"b" adds nothing: "a" (p.yaml:4:7) is violated whenever it is, and does the same'],
  ] as const) {
    test(`is found where ${name}`, () => assert.deepEqual(said(lint(...rules)), [message]));
  }

  for (const [name, ...rules] of [
    ['the other is only watched', `{ name: a, rule: "active_agents <= 5", action: deny, mode: monitor }`, `{ name: b, rule: "active_agents <= 5", action: deny }`],
    ['the other is weaker', `{ name: a, rule: "active_agents <= 5", action: warn }`, `{ name: b, rule: "active_agents <= 10", action: deny }`],
    ['it only records', `{ name: a, rule: "active_agents <= 5", action: deny }`, `{ name: b, rule: "active_agents <= 5", action: allow }`],
    ['a star would have to stand for less', `{ name: a, when: 'command matches "git push *"', action: deny }`, `{ name: b, when: 'command matches "git *"', action: warn }`],
    ['the directory may be a link', `{ name: a, rule: 'file_path must start with "/srv"', action: deny }`, `{ name: b, rule: 'file_path must start with "/srv/a"', action: deny }`],
    ['one command may be of several', `{ name: a, when: 'command == "b"', action: deny }`, `{ name: b, when: 'command == "a" and command != "b"', action: deny }`],
    ['a URL is permitted by other patterns than it is forbidden by', `{ name: a, rule: 'url matches "https://*.test/*"', action: deny }`, `{ name: b, when: 'not (url contains ".test/")', action: deny }`],
    ['two fields are compared', `{ name: a, when: 'branch == phase', action: deny }`, `{ name: b, when: 'branch == provider', action: deny }`],
  ] as const) {
    const watched = rules.some((rule) => rule.includes('monitor'));
    test(`is not claimed where ${name}`, () => assert.deepEqual(said(lint(...rules)).filter((message) => !watched || !message.includes('only watched')), []));
  }
});

test('a rule of a lower layer that an upper one leaves nothing to is told to have no effect, and never the other way round', () => {
  const upper = fileOf('pre_execution', [`{ name: limit, rule: "active_agents <= 5", action: deny }`], 'organisation', '/etc/loki/policies.yaml');
  const lower = fileOf('pre_execution', [`{ name: more, rule: "active_agents <= 10", action: warn }`, `{ name: fewer, rule: "active_agents <= 2", action: deny }`]);
  const found = lintPolicy([upper, lower]);
  assert.deepEqual(found.map(({ kind, rule, file, other }) => [kind, rule, file, other]), [['no effect', 'more', 'p.yaml', '/etc/loki/policies.yaml:4:7']]);
  assert.equal(found[0]?.message, '"more" has no effect: "limit" (/etc/loki/policies.yaml:4:7) of the organisation policy is violated whenever it is, and is stricter');
});

describe('a condition that can never hold, or never fail', () => {
  for (const [rule, message] of [
    [`{ name: a, when: 'active_agents > 5 and active_agents < 3', action: deny }`, '"a" can never apply: what its "when" asks of active_agents cannot all hold; it only denies where active_agents is missing'],
    [`{ name: a, when: 'branch == "main" and branch == "dev"', action: deny }`, '"a" can never apply: what its "when" asks of branch cannot all hold; it only denies where branch is missing'],
    [`{ name: a, when: 'branch matches "release/*" and branch matches "main*"', action: deny }`, '"a" can never apply: what its "when" asks of branch cannot all hold; it only denies where branch is missing'],
    [`{ name: a, when: 'branch in ["a", "b"] and branch not in ["a", "b", "c"]', action: deny }`, '"a" can never apply: what its "when" asks of branch cannot all hold; it only denies where branch is missing'],
    [`{ name: a, rule: "active_agents <= 5 or active_agents > 3", action: deny }`, '"a" can never be violated: its "rule" holds, whatever active_agents is; it only denies where active_agents is missing'],
    [`{ name: a, when: 'active_agents > 10', rule: "active_agents > 5", action: deny }`, '"a" can never be violated: its "rule" holds wherever its "when" does, whatever active_agents is; it only denies where active_agents is missing'],
    [`{ name: a, rule: "active_agents > 5 and active_agents < 3", action: deny }`, '"a" is violated wherever it applies: what its "rule" asks of active_agents cannot all hold'],
  ] as const) {
    test(rule, () => assert.deepEqual(said(lint(rule)), [message]));
  }
  for (const rule of [
    `{ name: a, when: 'command == "a" and command == "b"', action: deny }`,
    `{ name: a, when: 'file_path matches "/a/**" and file_path matches "/b/**"', action: deny }`,
    `{ name: a, when: 'active_agents > 5 and active_agents < 6', action: deny }`,
    `{ name: a, when: 'branch matches "release/*" and branch matches "rel*"', action: deny }`,
    `{ name: a, when: 'branch exists and branch == "main"', action: deny }`,
  ]) test(`is not claimed of ${rule}`, () => assert.deepEqual(said(lint(rule)), []));
});

test('patterns that another of their list covers are told', () => {
  assert.deepEqual(said(lint(`{ name: a, when: 'command matches ["git push *", "git push * --force", "rm *", "rm *"]', action: deny }`)), [
    '"a": the command pattern "git push * --force" adds nothing beside "git push *"',
    '"a": the command pattern "rm *" adds nothing beside "rm *"',
  ]);
});

test('watched rules are notes, not warnings', () => {
  assert.deepEqual(lint(`{ name: a, rule: "active_agents <= 5", action: deny, mode: monitor }`).map(({ kind, severity, line, column }) => [kind, severity, line, column]), [['watched', 'note', 4, 7]]);
});

describe('special rules', () => {
  const point = (name: string, ...rules: readonly string[]): readonly string[] => said(lintPolicy([fileOf(name, rules)]));
  test('a budget below another makes it idle, one for other providers does not', () => {
    const small = '{ name: small, max_tokens: 10, on_exceed: shutdown }';
    assert.deepEqual(point('resource', small, '{ name: large, max_tokens: 20, on_exceed: warn, providers: [claude] }'), ['"large" never decides: "small" (p.yaml:4:7) is violated whenever it is, and is stricter; it may still deny where provider is missing']);
    assert.deepEqual(point('resource', '{ name: small, max_tokens: 10, on_exceed: shutdown, providers: [codex] }', '{ name: large, max_tokens: 20, on_exceed: warn, providers: [claude] }'), []);
  });
  test('gates that another rule asks for too', () => {
    assert.deepEqual(point('pre_deployment', '{ name: all, gates: [a, b], action: deny }', '{ name: one, gates: [a], action: require_approval }'), ['"one" never decides: "all" (p.yaml:4:7) is violated whenever it is, and is stricter']);
    assert.deepEqual(point('pre_deployment', `{ name: all, when: 'environment == "prod"', gates: [a, b], action: deny }`, '{ name: one, gates: [a], action: require_approval }'), []);
  });
  test('data rules of one type', () => {
    assert.deepEqual(point('data', '{ name: all, type: secret_detection, action: deny }', `{ name: some, type: secret_detection, when: 'direction == "write"', action: warn }`), ['"some" never decides: "all" (p.yaml:4:7) is violated whenever it is, and is stricter; it may still deny where direction is missing']);
    assert.deepEqual(point('data', '{ name: all, type: secret_detection, action: deny }', '{ name: some, type: secret_detection, patterns: ["x1"], action: warn }'), []);
  });
});

test('a test that waits for a built-in rule is told', () => {
  const file = loadPolicyFile({ text: 'version: 1\npolicies: {}\ntests:\n  - { name: t, point: pre_execution, context: { kind: other }, expect: DENY, by: "builtin:protected-files" }\n', filename: 'p.yaml', layer: 'project' });
  assert.deepEqual(lintPolicy([file]).map(({ kind, message }) => [kind, message]), [['test', 'the test "t" waits for "builtin:protected-files", and built-in rules take no part in the tests of a policy']]);
});

test('hostile patterns end it before they cost minutes, and it is told', () => {
  const braces = '{a,b}'.repeat(4);
  const patterns = Array.from({ length: 100 }, (_, at) => `"*${braces}${at + 100}*"`).join(', ');
  const found = lint(...Array.from({ length: 12 }, (_, at) => `{ name: r${at}, when: 'command matches [${patterns}] and branch == "${at}"', action: deny }`));
  assert.deepEqual(found.map(({ kind, severity }) => [kind, severity]), [['unfinished', 'note']]);
});

/** How many sets of rules are made up. */
const seeds = times(5000, 500);

test('every claim is true over random rules and contexts: what is said to make no difference makes none', () => {
  let claims = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const draw = new Draw(seed);
    const rules = ['r0', 'r1', 'r2'].map((name) => randomRule(draw, name));
    const file = fileOfRules(rules);
    if (file.problems.length > 0) continue;
    const policy = createPolicy([file], { ...parts, probe: linked });
    for (const { kind, rule } of lintPolicy([file])) {
      if (kind === 'pattern') continue;
      claims += 1;
      const without = createPolicy([fileOfRules(rules.filter((_, at) => `r${at}` !== rule))], { ...parts, probe: linked });
      for (const context of randomContexts) {
        const decision = policy.evaluate('pre_execution', context, { explain: true });
        const told: string = `seed ${seed}: ${kind} ${rule} of\n${rules.join('\n')}\non ${JSON.stringify(context)}`;
        if (kind === 'always violated') assert.notEqual(decision.explain?.rules.find(({ name }) => name === rule)?.result, 'held', told);
        else assert.equal(without.evaluate('pre_execution', context).decision, decision.decision, told);
      }
    }
  }
  assert.ok(claims > 100, `${claims} claims`);
});
