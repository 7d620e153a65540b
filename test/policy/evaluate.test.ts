/** Decisions: which rules apply, what wins, what is said, and every way in which a judge could fail open. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import type { Finding } from '../../lib/base/action.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import { boundary, parts, policyOf, preExecution } from '../support/policy.ts';

const inside = { file_path: '/p/a', project_dir: '/p' };

describe('nothing fails open', () => {
  test('an unknown rule text is a load error, and denies', () => {
    const decision = preExecution('{ name: a, rule: "file_path must be inside project_dir", action: deny }').evaluate('pre_execution', { kind: 'fs.write', ...inside });
    assert.equal(decision.decision, 'DENY');
    assert.match(decision.reason, /^policies\.yaml:4:40: rule: "start" expected, found "be"/);
  });

  test('a missing file_path denies and is named', () => {
    const decision = preExecution(boundary).evaluate('pre_execution', { kind: 'fs.write', project_dir: '/p' });
    assert.equal(decision.decision, 'DENY');
    assert.equal(decision.reason, 'Rule "project-boundary" (policies.yaml:4:7) cannot be evaluated: file_path is missing');
  });

  test('a missing file_path denies where no kind says that there is none', () => {
    const decision = preExecution(boundary).evaluate('pre_execution', { project_dir: '/p' });
    assert.equal(decision.reason, 'Rule "project-boundary" (policies.yaml:4:7) cannot be evaluated: file_path is missing, and no kind says that the action carries none');
    assert.equal(decision.decision, 'DENY');
  });

  test('a missing common field denies and is named', () => {
    const decision = preExecution('{ name: limit, rule: "active_agents <= 5", action: warn }').evaluate('pre_execution', { kind: 'exec', command: 'ls' });
    assert.equal(decision.decision, 'DENY');
    assert.equal(decision.reason, 'Rule "limit" (policies.yaml:4:7) cannot be evaluated: active_agents is missing');
  });

  test('a missing field denies also where the other side of "or" would hold', () => {
    const policy = preExecution(`{ name: a, rule: 'active_agents <= 5 or actor == "user:root"', action: deny }`);
    assert.equal(policy.evaluate('pre_execution', { kind: 'other', active_agents: 1 }).reason, 'Rule "a" (policies.yaml:4:7) cannot be evaluated: actor is missing');
  });

  test('an invalid file denies', () => assert.equal(policyOf('version: 1\npolicies: [').evaluate('data', { content: '' }).decision, 'DENY'));

  test('no file at all allows, and says so', () => {
    const decision = createPolicy([], parts).evaluate('pre_execution', { kind: 'exec', command: 'rm -rf /' });
    assert.deepEqual([decision.decision, decision.reason, decision.violations], ['ALLOW', 'No policies configured', []]);
  });

  test('an unknown enforcement point denies, with and without a policy', () => {
    for (const policy of [preExecution(boundary), createPolicy([], parts)]) {
      const decision = policy.evaluate('pre_excution', {});
      assert.equal(decision.decision, 'DENY');
      assert.equal(decision.reason, 'Unknown enforcement point "pre_excution" (did you mean "pre_execution"?)');
    }
  });

  test('names of the prototype are no enforcement points and no fields', () => {
    const policy = preExecution('{ name: limit, rule: "active_agents <= 5", action: deny }');
    for (const point of ['constructor', '__proto__', 'toString']) assert.equal(policy.evaluate(point, {}).decision, 'DENY');
    assert.equal(policy.evaluate('pre_execution', { kind: '__proto__', active_agents: 1 }).decision, 'DENY');
  });

  test('an unknown kind denies', () => {
    assert.equal(preExecution(boundary).evaluate('pre_execution', { kind: 'fs.wirte', ...inside }).reason,
      'Unknown kind "fs.wirte" (did you mean "fs.write"?); known: exec, fs.read, fs.write, fs.delete, net, mcp, agent, prompt, other');
    assert.equal(preExecution(boundary).evaluate('pre_execution', { kind: 7, ...inside }).decision, 'DENY');
  });

  test('a missing provider denies where a budget names providers', () => {
    const policy = policyOf('version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 10, on_exceed: warn, providers: [claude] }\n');
    assert.equal(policy.evaluate('resource', { tokens_consumed: 1 }).reason, 'Rule "b" (policies.yaml:4:7) cannot be evaluated: provider is missing');
    assert.equal(policy.evaluate('resource', { tokens_consumed: 1, provider: 'claude' }).decision, 'ALLOW');
    assert.equal(policy.evaluate('resource', { tokens_consumed: 99, provider: 'codex' }).decision, 'ALLOW');
    assert.equal(policy.evaluate('resource', { provider: 'claude' }).reason, 'Rule "b" (policies.yaml:4:7) cannot be evaluated: tokens_consumed is missing');
    assert.equal(policy.evaluate('resource', { tokens_consumed: Number.NaN, provider: 'claude' }).decision, 'DENY');
  });

  test('a finding never carries the text that was found', () => {
    const secret = `AKIA${'QYLPMN5HHHFPZAM2'}`;
    const policy = policyOf('version: 1\npolicies:\n  data:\n    - { name: scan, type: secret_detection, action: deny }\n');
    const decision = policy.evaluate('data', { content: `first\n  id = ${secret}` }, { explain: true });
    assert.equal(decision.reason, 'Rule "scan" (policies.yaml:4:7): aws-access-key-id at line 2, column 8');
    assert.ok(!JSON.stringify(decision).includes(secret.slice(0, 12)));
  });

  test('a secret in a compared value is taken out of the reason', () => {
    const secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
    const decision = preExecution(`{ name: a, when: 'command matches "curl *"', action: deny }`).evaluate('pre_execution', { kind: 'exec', command: `curl -H "Authorization: token ${secret}" https://x.example` });
    assert.match(decision.reason, /\[redacted github-token\]/);
    assert.ok(!decision.reason.includes(secret));
  });

  for (const [name, context, why] of [
    ['a number where a path belongs', { file_path: 42 }, 'file_path is not a path'],
    ['an empty path', { file_path: '' }, 'file_path is empty'],
    ['a NUL in a path', { file_path: '/p/a\0b' }, 'file_path holds a NUL character'],
    ['a lone surrogate in a path', { file_path: '/p/\ud800' }, 'file_path is not well-formed Unicode'],
    ['an enormous path', { file_path: `/p/${'x'.repeat(5000)}` }, 'file_path is longer than 4096 characters'],
    ['a relative path that starts nowhere', { file_path: 'a', project_dir: 'p' }, '"a" is relative, and no absolute cwd or project_dir is given'],
    ['an empty project_dir', { file_path: '/a', project_dir: '' }, 'project_dir is empty'],
  ] as const) {
    test(`${name} denies`, () => assert.equal(
      preExecution(boundary).evaluate('pre_execution', { kind: 'fs.read', project_dir: '/p', ...context }).reason,
      `Rule "project-boundary" (policies.yaml:4:7) cannot be evaluated: ${why}`));
  }

  test('a disk that does not answer denies', () => {
    const policy = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n`, { probe: { realpath: () => { throw new Error('EIO: i/o error'); }, readlink: () => undefined } });
    assert.match(policy.evaluate('pre_execution', { kind: 'fs.read', ...inside }).reason, /cannot be evaluated: "\/p\/a" cannot be resolved: EIO: i\/o error$/);
  });

  test('content beyond the limit is not passed unread', () => {
    const policy = policyOf('version: 1\npolicies:\n  data:\n    - { name: scan, type: secret_detection, action: warn }\n');
    assert.equal(policy.evaluate('data', { content: 'x'.repeat(10_000_000) }).reason, 'Rule "scan" (policies.yaml:4:7) cannot be evaluated: content is longer than 8388608 characters');
    assert.equal(policy.evaluate('data', {}).reason, 'Rule "scan" (policies.yaml:4:7) cannot be evaluated: content is missing');
  });
});

describe('which rules apply', () => {
  const policy = preExecution(boundary, `{ name: no-force-push, when: 'command matches "git push * --force*"', action: deny }`, `{ name: writes, when: 'kind == "fs.write"', rule: 'file_path matches "src/**"', action: warn }`);
  const applied = (context: Record<string, unknown>): readonly string[] => (policy.evaluate('pre_execution', context, { explain: true }).explain?.rules ?? [])
    .filter(({ result }) => result !== 'not applicable').map(({ name }) => name);

  test('a rule about paths does not apply to a command, nor the other way round', () => {
    assert.deepEqual(applied({ kind: 'exec', command: 'git push x --force' }), ['no-force-push']);
    assert.deepEqual(applied({ kind: 'fs.read', ...inside }), ['project-boundary']);
    assert.deepEqual(applied({ kind: 'mcp', mcp_server: 's', mcp_tool: 't' }), []);
  });
  test('kind narrows', () => assert.deepEqual(applied({ kind: 'fs.write', ...inside }), ['project-boundary', 'writes']));
  test('a context without kind gets it from its fields; a bare path counts as written', () => {
    assert.deepEqual(applied({ command: 'git push x --force' }), ['no-force-push']);
    assert.deepEqual(applied(inside), ['project-boundary', 'writes']);
  });
  test('a context with several specific fields is judged as each of its kinds', () => {
    assert.equal(policy.evaluate('pre_execution', { command: 'ls', file_path: '/etc/passwd', project_dir: '/p' }).decision, 'DENY');
  });
  test('a kind that carries the field and lacks it denies', () => {
    assert.equal(policy.evaluate('pre_execution', { kind: 'exec' }).reason, 'Rule "no-force-push" (policies.yaml:5:7) cannot be evaluated: command is missing');
  });
});

describe('what wins', () => {
  const rules = (['allow', 'warn', 'require_approval', 'deny'] as const).map((action, level) => `{ name: ${action}, rule: "active_agents < ${level + 1}", action: ${action} }`);
  for (const [agents, decision, reason] of [
    [0, 'ALLOW', 'No rule was violated'],
    [1, 'ALLOW', 'Rule "allow" (policies.yaml:4:7): "active_agents < 1" does not hold; active_agents is 1'],
    [2, 'ALLOW', 'Rule "warn" (policies.yaml:5:7): "active_agents < 2" does not hold; active_agents is 2 (and 1 more)'],
    [3, 'REQUIRE_APPROVAL', 'Rule "require_approval" (policies.yaml:6:7): "active_agents < 3" does not hold; active_agents is 3 (and 2 more)'],
    [4, 'DENY', 'Rule "deny" (policies.yaml:7:7): "active_agents < 4" does not hold; active_agents is 4 (and 3 more)'],
  ] as const) {
    test(`${agents} agents: ${decision}`, () => {
      const found = preExecution(...rules).evaluate('pre_execution', { kind: 'other', active_agents: agents });
      assert.deepEqual([found.decision, found.allowed, found.requiresApproval, found.reason], [decision, decision === 'ALLOW', decision === 'REQUIRE_APPROVAL', reason]);
      assert.equal(found.violations.length, agents);
    });
  }

  test('a later layer tightens and cannot loosen', () => {
    const strict = loadPolicyFile({ text: 'version: 1\npolicies: { pre_execution: [{ name: limit, rule: "active_agents <= 2", action: deny }] }\n', filename: 'org.yaml', layer: 'organisation' });
    const loose = loadPolicyFile({ text: 'version: 1\nmode: monitor\npolicies: { pre_execution: [{ name: limit, rule: "active_agents <= 9", action: allow }, { name: calm, rule: "active_agents <= 1", action: require_approval, mode: enforce }] }\n', filename: 'project.yaml', layer: 'project' });
    const policy = createPolicy([strict, loose], parts);
    assert.equal(policy.evaluate('pre_execution', { kind: 'other', active_agents: 3 }).decision, 'DENY');
    assert.equal(policy.evaluate('pre_execution', { kind: 'other', active_agents: 2 }).decision, 'REQUIRE_APPROVAL');
  });

  test('a watched rule is reported and does not count', () => {
    const found = preExecution('{ name: limit, rule: "active_agents <= 2", action: deny, mode: monitor }').evaluate('pre_execution', { kind: 'other', active_agents: 3 });
    assert.deepEqual([found.decision, found.reason, found.violations[0]?.monitor], ['ALLOW', 'Only watched rules were violated: limit', true]);
    assert.equal(preExecution('{ name: limit, rule: "active_agents <= 2", action: deny, mode: monitor }').evaluate('pre_execution', { kind: 'other' }).decision, 'ALLOW');
  });
});

describe('the other points', () => {
  test('gates must all have been passed', () => {
    const policy = policyOf('version: 1\npolicies:\n  pre_deployment:\n    - { name: gates, gates: [unit-tests, security-scan], action: deny }\n');
    assert.equal(policy.evaluate('pre_deployment', { passed_gates: ['unit-tests'] }).reason, 'Rule "gates" (policies.yaml:4:7): not passed: security-scan');
    assert.equal(policy.evaluate('pre_deployment', { passed_gates: ['unit-tests', 'security-scan', 'more'] }).decision, 'ALLOW');
    assert.equal(policy.evaluate('pre_deployment', {}).reason, 'Rule "gates" (policies.yaml:4:7) cannot be evaluated: passed_gates is missing');
    assert.equal(policy.evaluate('pre_deployment', { passed_gates: 'unit-tests' }).decision, 'DENY');
  });

  test('a budget that is exceeded does what it says', () => {
    const exceeded = (onExceed: string): string => policyOf(`version: 1\npolicies:\n  resource:\n    - { name: b, max_tokens: 100, on_exceed: ${onExceed} }\n`).evaluate('resource', { tokens_consumed: 101, provider: 'x' }).decision;
    assert.deepEqual(['shutdown', 'require_approval', 'warn'].map(exceeded), ['DENY', 'REQUIRE_APPROVAL', 'ALLOW']);
  });

  test('patterns add to data rules', () => {
    const policy = policyOf(`version: 1\npolicies:\n  data:\n    - { name: ids, patterns: ['ACME-[0-9]{6}'], action: require_approval }\n`);
    const found = policy.evaluate('data', { content: 'x\nsee ACME-123456 and ACME-654321' });
    assert.equal(found.reason, 'Rule "ids" (policies.yaml:4:7): ids at line 2, column 5 (and 1 more)');
    assert.equal(found.decision, 'REQUIRE_APPROVAL');
  });

  test('a phase that needs approval is known by its gate', () => {
    const policy = policyOf('version: 1\npolicies:\n  approval_gates:\n    - { name: prod, phase: deploy, approvers: ["role:admin", "user:alice"], required: 2, timeout_minutes: 30, webhook: "https://approvals.example.com/hook" }\n');
    assert.deepEqual(policy.approvalGate('deploy'), {
      name: 'prod', phase: 'deploy', approvers: ['role:admin', 'user:alice'], required: 2, timeoutMinutes: 30, webhook: 'https://approvals.example.com/hook',
      autoApproveOnTimeout: false, place: 'policies.yaml:4:7', layer: 'project',
    });
    assert.equal(policy.approvalGate('build'), undefined);
  });
});

describe('a decision can be explained', () => {
  test('rule by rule, with what was compared', () => {
    const policy = preExecution(boundary, '{ name: limit, rule: "active_agents <= 5", action: deny }', `{ name: push, when: 'command matches "git push*"', action: deny }`, '{ name: spread, rule: "tenant exists", action: warn }');
    const { explain } = policy.evaluate('pre_execution', { kind: 'fs.read', file_path: '/etc/passwd', project_dir: '/p', active_agents: 2 }, { explain: true });
    assert.deepEqual(explain, { point: 'pre_execution', rules: [
      {
        name: 'project-boundary', place: 'policies.yaml:4:7', result: 'violated', because: '"file_path must start with project_dir" does not hold; file_path is "/etc/passwd", project_dir is "/p"',
        rule: { text: 'file_path must start with project_dir', holds: false, compared: { field: 'file_path', operator: 'must start with', value: '/etc/passwd', with: '/p', holds: false } },
      },
      {
        name: 'limit', place: 'policies.yaml:5:7', result: 'held', because: '"active_agents <= 5" holds; active_agents is 2',
        rule: { text: 'active_agents <= 5', holds: true, compared: { field: 'active_agents', operator: '<=', value: 2, with: 5, holds: true } },
      },
      {
        name: 'spread', place: 'policies.yaml:7:7', result: 'violated', because: '"tenant exists" does not hold; tenant is missing',
        rule: { text: 'tenant exists', holds: false, compared: { field: 'tenant', operator: 'exists', value: null, with: null, holds: false } },
      },
      { name: 'push', place: 'policies.yaml:6:7', result: 'not applicable', because: 'applies to exec' },
    ] });
  });

  test('and is not, when nobody asks', () => assert.equal('explain' in preExecution(boundary).evaluate('pre_execution', { kind: 'fs.read', ...inside }), false));

  test('it names the policy it was judged by', () => {
    const text = 'version: 1\npolicies: {}\n';
    assert.equal(policyOf(text).evaluate('data', { content: '' }).policy_digest, sha256Hex(text));
  });
});

describe('a data rule may count only what is sure', () => {
  const finding = (confidence: 'low' | 'medium' | 'high'): Finding => ({ rule: 'r', line: 1, column: 1, offset: 0, length: 3, confidence, fingerprint: '0'.repeat(16) });
  for (const [least, decisions] of [['low', ['DENY', 'DENY', 'DENY']], ['medium', ['ALLOW', 'DENY', 'DENY']], ['high', ['ALLOW', 'ALLOW', 'DENY']]] as const) {
    test(`min_confidence: ${least}`, () => {
      const found = (['low', 'medium', 'high'] as const).map((confidence) => policyOf(`version: 1\npolicies:\n  data:\n    - { name: a, type: secret_detection, min_confidence: ${least}, action: deny }\n`,
        { scanners: { ...parts.scanners, secrets: () => [finding(confidence)] } }).evaluate('data', { content: 'abc' }).decision);
      assert.deepEqual(found, decisions);
    });
  }
  test('patterns of one\'s own always count, and the word is checked', () => {
    const own = policyOf('version: 1\npolicies:\n  data:\n    - { name: a, type: secret_detection, patterns: ["ACME-[0-9]{4}"], min_confidence: high, action: deny }\n');
    assert.equal(own.evaluate('data', { content: 'ACME-1234' }).decision, 'DENY');
    const wrong = policyOf('version: 1\npolicies:\n  data:\n    - { name: a, type: secret_detection, min_confidence: hihg, action: deny }\n    - { name: b, patterns: ["ACME-[0-9]{4}"], min_confidence: high, action: deny }\n');
    assert.deepEqual(wrong.problems.map(({ message }) => message), ['"hihg" is not a value of min_confidence (did you mean "high"?)', 'the rule "b" has min_confidence and no type']);
  });
});

test('a decision about personal data holds no hash that could be guessed, and a private address alone is none', () => {
  const policy = policyOf('version: 1\npolicies:\n  data:\n    - { name: p, type: pii_scanning, action: deny }\n');
  const denied = policy.evaluate('data', { content: 'SSN 536-90-4399' });
  assert.equal(denied.decision, 'DENY');
  assert.deepEqual(denied.violations[0]?.findings?.map(({ fingerprint }) => fingerprint), ['withheld']);
  assert.equal(policy.evaluate('data', { content: 'listen on 127.0.0.1' }).decision, 'ALLOW');
  const all = policyOf('version: 1\npolicies:\n  data:\n    - { name: p, type: pii_scanning, min_confidence: low, action: deny }\n');
  assert.equal(all.evaluate('data', { content: 'listen on 127.0.0.1' }).decision, 'DENY');
});
