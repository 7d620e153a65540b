/** Each hole of this program's predecessor by name: what opened it there, and that it is closed here. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openGate } from '../../lib/app/gate.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { GateReply } from '../../lib/gate/reply.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { makeGround } from '../support/ground.ts';
import { boundary, diskProbe, parts, policyOf, preExecution } from '../support/policy.ts';

const write = { kind: 'fs.write', file_path: '/etc/passwd', project_dir: '/p' };

async function decide(installation: Installation, command: string): Promise<GateReply> {
  const gate = openGate(installation, { agent: 'test', waitMs: 0 });
  try {
    return await gate.decide({ kind: 'exec', command });
  } finally {
    await gate.close();
  }
}

test('an unknown rule string does not pass: a typo denies everything until it is corrected', () => {
  const policy = preExecution('{ name: boundary, rule: "file_path must strat with project_dir", action: deny }');
  assert.match(policy.problems[0]?.message ?? '', /^rule: "start" expected, found "strat"$/);
  assert.equal(policy.evaluate('pre_execution', { ...write, file_path: '/p/a' }).decision, 'DENY');
});

test('a missing file_path does not pass: the rule that needs it denies, and names it', () => {
  const decision = preExecution(boundary).evaluate('pre_execution', { kind: 'fs.write', project_dir: '/p' });
  assert.deepEqual([decision.decision, decision.reason], ['DENY', 'Rule "project-boundary" (policies.yaml:4:7) cannot be evaluated: file_path is missing']);
});

describe('an invalid file does not load', () => {
  for (const [name, text] of [
    ['no YAML', 'policies: ['], ['empty', ''], ['a list', '- 1\n'], ['an unknown action', `version: 1\npolicies:\n  pre_execution:\n    - ${boundary.replace('deny', 'dney')}\n`],
    ['one good rule beside a bad one', `version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n    - { name: b, rule: "x" }\n`],
  ] as const) {
    test(name, () => {
      const policy = policyOf(text);
      assert.ok(policy.problems.length > 0);
      assert.deepEqual(policy.rules, [], 'no rule of it is in force');
      for (const point of ['pre_execution', 'pre_deployment', 'resource', 'data']) assert.equal(policy.evaluate(point, { kind: 'other' }).decision, 'DENY');
    });
  }
});

test('no file does not allow once the project is enrolled', async (t) => {
  const ground = makeGround(t);
  const file = ground.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  await ground.enrol();
  assert.equal((await decide(ground.installation(), 'ls')).decision, 'ALLOW');
  rmSync(file);
  const reply = await decide(ground.installation(), 'ls');
  assert.equal(reply.decision, 'DENY');
  assert.match(reply.reason, /\.loki\/policies\.yaml is missing\. .*loki init/);
});

test('an unknown enforcement point does not allow', () => {
  const decision = preExecution(boundary).evaluate('pre_exection', write);
  assert.deepEqual([decision.decision, decision.reason], ['DENY', 'Unknown enforcement point "pre_exection" (did you mean "pre_execution"?)']);
});

test('a provider rule is not skipped where the context has no provider', () => {
  const budget = policyOf('version: 1\npolicies:\n  resource:\n    - { name: tokens, max_tokens: 10, on_exceed: warn, providers: [claude] }\n');
  const decision = budget.evaluate('resource', { tokens_consumed: 1 });
  assert.deepEqual([decision.decision, decision.reason], ['DENY', 'Rule "tokens" (policies.yaml:4:7) cannot be evaluated: provider is missing']);
  assert.equal(policyOf(`version: 1\npolicies:\n  resource:\n    - { name: p, rule: 'provider in ["claude"]', action: warn }\n`).evaluate('resource', {}).decision, 'DENY');
});

test('a link out of the project does not lead out of it, nor one that dangles, nor the folder above', (t) => {
  const { root, project } = makeGround(t);
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'secret'), '');
  symlinkSync(join(root, 'outside'), join(project, 'link'));
  symlinkSync(join(root, 'nothing'), join(project, 'dangling'));
  const policy = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n`, { ...parts, probe: diskProbe });
  const decide = (path: string): string => policy.evaluate('pre_execution', { kind: 'fs.write', file_path: join(project, path), project_dir: project }).decision;
  assert.deepEqual(['a', 'link/secret', 'link/new', 'dangling', 'dangling/new'].map(decide), ['ALLOW', 'DENY', 'DENY', 'DENY', 'DENY']);
  assert.equal(policy.evaluate('pre_execution', { kind: 'fs.write', file_path: `${project}/link/../b`, project_dir: project }).decision, 'DENY', 'as the kernel reads it');
});

describe('what looks like personal data is checked', () => {
  for (const [what, right, wrong] of [
    ['a card number', 'card 4539 1488 0343 6467', 'card 4539 1488 0343 6468'],
    ['an IBAN', 'IBAN DE89 3704 0044 0532 0130 00', 'IBAN DE89 3704 0044 0532 0130 01'],
    ['a social security number', 'SSN 123-45-6789', 'SSN 666-45-6789'],
  ] as const) {
    test(`${what} is found where it can be one, and not where its checksum or range says otherwise`, () => {
      assert.deepEqual([scanners.pii(right).length > 0, scanners.pii(wrong).length], [true, 0]);
    });
  }
});

test('a finding does not leak the secret: not a part of it in reason, finding or explanation', () => {
  const secret = `AKIA${'QX7RM2KD'.repeat(2)}`;
  const policy = policyOf('version: 1\npolicies:\n  data:\n    - { name: secrets, type: secret_detection, action: deny }\n');
  const decision = policy.evaluate('data', { content: `aws_access_key_id = "${secret}"`, direction: 'write', path: 'a', tool: 'Write' }, { explain: true });
  assert.equal(decision.decision, 'DENY');
  const told = JSON.stringify(decision);
  for (let at = 0; at + 8 <= secret.length; at += 1) assert.ok(!told.includes(secret.slice(at, at + 8)), secret.slice(at, at + 8));
});

test('no file is polled: the very next decision is made by what stands on disk, and nothing runs between two', async (t) => {
  const ground = makeGround(t);
  const text = (action: string): string => `version: 1\npolicies:\n  pre_execution:\n    - { name: ls, when: 'command matches "ls*"', action: ${action} }\n`;
  ground.write('project/.loki/policies.yaml', text('warn'));
  const gate = openGate(ground.installation(), { agent: 'test', waitMs: 0 });
  t.after(() => gate.close());
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'FSEventWrap' || kind === 'StatWatcher').length;
  const before = timers();
  for (const [action, decision] of [['deny', 'DENY'], ['warn', 'ALLOW'], ['deny', 'DENY']] as const) {
    ground.write('project/.loki/policies.yaml', text(action));
    assert.equal((await gate.decide({ kind: 'exec', command: 'ls' })).decision, decision);
  }
  assert.equal(timers(), before);
});
