/** Recorded actions judged again: what flips and why, what is not judged again, and nothing that only the record left out. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action } from '../../../lib/base/action.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { createBuiltins } from '../../../lib/policy/builtin.ts';
import { createPolicy, type Policy } from '../../../lib/policy/evaluate.ts';
import { createJudge, type Judge, type Surroundings } from '../../../lib/policy/judge.ts';
import { recordedContext, rejudgeable, type RecordedDecision } from '../../../lib/policy/simulate/recorded.ts';
import { createSimulation, enforced, type SimulationReport } from '../../../lib/policy/simulate/simulate.ts';
import { scanners } from '../../../lib/policy/scan/scanners.ts';
import { parts, plainProbe, policyOf } from '../../support/policy.ts';

const builtins = createBuiltins({ lokiHome: '/h/.loki', projectDirs: ['/p'], homeDir: '/h', controlPlane: [] });
const side = (policy: Policy): { readonly policy: Policy; readonly judge: Judge } => ({ policy, judge: createJudge({ policy, builtins, probe: plainProbe, monotonic: () => 0, scanners }) });
const rules = (...list: readonly string[]): Policy => policyOf(list.length === 0 ? 'version: 1\npolicies: {}\n' : `version: 1\npolicies:\n  pre_execution:\n${list.map((rule) => `    - ${rule}\n`).join('')}`);

let seq = 0;
function recorded(action: JsonObject, more: JsonObject = {}): RecordedDecision {
  seq += 1;
  return { seq, timestamp: '2026-02-15T14:30:00.000Z', actor: 'agent:claude', sessionId: 'ses_1', details: { action: { cwd: '/p', ...action }, context: {}, decision: 'ALLOW', ...more } };
}

function run(before: Policy | 'recorded', after: Policy, ...entries: readonly RecordedDecision[]): SimulationReport {
  const simulation = createSimulation({ before: before === 'recorded' ? 'recorded' : side(before), after: side(after), projectDir: '/p', projectId: 'prj_1' });
  for (const entry of entries) simulation.add(entry);
  return simulation.report();
}

const push = (command = 'git push --force'): RecordedDecision => recorded({ kind: 'exec', command });
const strict = `{ name: force, when: 'command matches "git push *--force*"', action: deny }`;

describe('a flip', () => {
  test('that loosens is told of the rule that is gone, one that tightens of the rule that is new', () => {
    const flips = (report: SimulationReport): unknown => report.flips.map(({ rule, from, to, loosens, actions }) => [rule, from, to, loosens, actions]);
    assert.deepEqual(flips(run(rules(strict), rules(), push(), push())), [['force', 'DENY', 'ALLOW', true, 2]]);
    assert.deepEqual(flips(run(rules(), rules(strict), push())), [['force', 'ALLOW', 'DENY', false, 1]]);
    assert.deepEqual(flips(run(rules(strict), rules(strict.replace('deny', 'require_approval')), push())), [['force', 'DENY', 'REQUIRE_APPROVAL', true, 1]]);
  });
  test('is none where another rule decides the same', () => {
    const report = run(rules(strict), rules(strict.replace('name: force', 'name: other')), push());
    assert.deepEqual([report.unchanged, report.flips], [1, []]);
  });
  test('is none where a built-in rule denies either way', () => {
    const report = run(rules(`{ name: records, when: 'file_path matches "**/.loki/**"', action: deny }`), rules(), recorded({ kind: 'fs.write', file_path: '/p/.loki/config.yaml' }));
    assert.deepEqual([report.unchanged, report.loosened], [1, 0]);
  });
  test('has three examples, the first that were found', () => {
    const entries = Array.from({ length: 5 }, () => push());
    assert.deepEqual(run(rules(strict), rules(), ...entries).flips[0]?.examples.map((example) => example.seq), entries.slice(0, 3).map((entry) => entry.seq));
  });
  test('from a policy that cannot be used is from denying everything, by no rule', () => {
    assert.deepEqual(run(policyOf('version: 1\n'), rules(), push('ls')).flips.map(({ rule, from, to }) => [rule, from, to]), [[null, 'DENY', 'ALLOW']]);
  });
  test('of a watched rule is shown by enforcing it', () => {
    const watched = rules(`${strict.slice(0, -2)}, mode: monitor }`);
    const report = run(watched, createPolicy(enforced(watched.files), parts), push(), push('ls'));
    assert.deepEqual([report.flips.map(({ rule, to }) => [rule, to]), report.unchanged, report.loosened], [[['force', 'DENY']], 1, 0]);
  });
  test('depends on what the command does as well', () => {
    const report = run(rules(), rules(`{ name: boundary, rule: "file_path must start with project_dir", action: deny }`), push('cat /etc/passwd'), push('cat ./a'));
    assert.deepEqual([report.tightened, report.unchanged], [1, 1]);
  });
});

describe('what is not judged again', () => {
  const policy = rules(strict);
  for (const [reason, entry] of [
    ['a secret was taken out of it', recorded({ kind: 'exec', command: 'curl -H [redacted]', redacted_sha256: 'a'.repeat(64) })],
    ['it is recorded in part, because of its length', recorded({ kind: 'exec', command: { text: 'x', bytes: 9000, sha256: 'a'.repeat(64) } })],
    ['a part of the action is missing', recorded({ kind: 'exec' })],
    ['no action is recorded', { ...push(), details: { point: 'resource', decision: 'ALLOW' } }],
    ['no action is recorded', recorded({ kind: 'teleport' })],
    ['it is encrypted, and its key is not here', { ...push(), details: undefined }],
  ] as const) {
    test(`${reason} (${JSON.stringify(entry.details ?? null).slice(0, 60)})`, () => {
      const report = run(policy, rules(), entry);
      assert.deepEqual([report.decisions, report.unchanged, report.loosened, report.not_rejudged], [1, 0, 0, [{ reason, actions: 1, seq: entry.seq }]]);
    });
  }

  test('an action of an entry without context, where a rule names a part of it; and only there', () => {
    const old: RecordedDecision = { ...push(), details: { action: { kind: 'exec', command: 'git push --force', cwd: '/p' } } };
    const onMain = `{ name: main, when: 'branch == "main"', action: deny }`;
    assert.deepEqual(run(rules(strict), rules(onMain), old).not_rejudged.map(({ reason }) => reason), ['a rule names what was not recorded then']);
    assert.deepEqual([run(rules(strict), rules(), old).loosened, run(rules(strict), rules(), old).not_rejudged], [1, []]);
  });

  test('content by data rules, which is told with the names of the rules', () => {
    const data = policyOf('version: 1\npolicies:\n  data:\n    - { name: secrets, type: secret_detection, action: deny }\n');
    const written = recorded({ kind: 'fs.write', file_path: '/p/a', content: { sha256: 'a'.repeat(64), bytes: 3, findings: [] } });
    const report = run(rules(), data, written, push('ls'));
    assert.deepEqual([report.data, report.unchanged, report.not_rejudged], [{ actions: 1, rules: ['secrets'] }, 2, []]);
    assert.deepEqual(run(rules(), rules(strict), written).data, { actions: 0, rules: [] });
  });
});

describe('what was decided then', () => {
  const denied = (violations: readonly JsonObject[], action: JsonObject = { kind: 'exec', command: 'git push --force' }): RecordedDecision => recorded(action, { decision: 'DENY', violations });
  test('is compared with where that is wanted', () => {
    const report = run('recorded', rules(), denied([{ name: 'force', action: 'deny', place: 'p.yaml:4:7', reason: '' }]));
    assert.deepEqual(report.flips.map(({ rule, place, from, to }) => [rule, place, from, to]), [['force', 'p.yaml:4:7', 'DENY', 'ALLOW']]);
  });
  test('does not count a watched rule, a search of content, or what a person answered', () => {
    for (const violation of [{ name: 'w', action: 'deny', place: 'p', monitor: true }, { name: 'secrets', action: 'deny', place: 'p', findings: [] }]) assert.equal(run('recorded', rules(), denied([violation])).unchanged, 1);
    const approved = recorded({ kind: 'exec', command: 'git push --force' }, { violations: [{ name: 'force', action: 'require_approval', place: 'p' }] });
    assert.deepEqual(run('recorded', rules(strict.replace('deny', 'require_approval')), approved).unchanged, 1);
  });
  test('counts a built-in rule about a path also where there was content, and leaves aside one about content', () => {
    const content = { sha256: 'a'.repeat(64), bytes: 3, findings: [] };
    const write = (file_path: string, rule: string): RecordedDecision => denied([{ name: rule, action: 'deny', place: 'built in', reason: '' }], { kind: 'fs.write', file_path, content });
    assert.deepEqual(run('recorded', rules(), write('/p/.loki/policies.yaml', 'builtin:protected-files')).flips, []);
    assert.deepEqual(run('recorded', rules(), write('/p/a', 'builtin:protected-files')).flips, []);
  });
  test('may be anything a stranger wrote', () => {
    for (const violations of ['x', [1, null, { name: 1 }, { name: 'a', action: 'constructor', place: 'p' }, { name: 'a', action: 'explode', place: 'p' }]]) assert.equal(run('recorded', rules(), recorded({ kind: 'exec', command: 'ls' }, { violations })).unchanged, 1);
  });
});

describe('the surroundings of an action', () => {
  const around: Surroundings = { project_dir: '/p', actor: 'agent:claude', active_agents: 1, provider: 'claude', branch: 'none', phase: 'none', tenant: 'none', project: 'prj_1', session_id: 'ses_1' };
  const back = (context: JsonObject): Surroundings | string => {
    const found = rejudgeable(recorded({ kind: 'exec', command: 'ls' }, { context }), '/p', 'prj_1');
    return typeof found === 'string' ? found : found.surroundings;
  };
  test('come back as they were, and what is usual is not written', () => {
    assert.deepEqual(recordedContext(around, 'claude'), {});
    for (const changed of [around, { ...around, branch: 'main' }, { ...around, provider: 'codex', phase: 'deploy', active_agents: 7 }]) assert.deepEqual(back(recordedContext(changed, 'claude')), changed);
  });
  test('decide: a rule about the branch meets the branch of that day', () => {
    const onMain = rules(`{ name: main, when: 'branch == "main"', action: deny }`);
    const report = run(rules(), onMain, recorded({ kind: 'exec', command: 'ls' }, { context: { branch: 'main' } }), push('ls'));
    assert.deepEqual([report.tightened, report.unchanged], [1, 1]);
  });
  test('are not believed where they are of the wrong type', () => assert.deepEqual(back({ branch: 5, active_agents: 'many', provider: null, phase: {} }), around));
});

test('sessions are told apart where a rule names them', () => {
  const policy = rules(`{ name: one, when: 'session_id == "ses_1"', action: deny }`);
  const report = run(rules(), policy, push('ls'), { ...push('ls'), sessionId: 'ses_2' });
  assert.deepEqual([report.tightened, report.unchanged], [1, 1]);
});

test('a long log of hostile entries keeps only counts', () => {
  const simulation = createSimulation({ before: 'recorded', after: side(rules()), projectDir: '/p', projectId: 'prj_1' });
  for (let at = 0; at < 30_000; at += 1) simulation.add({ ...push('ls'), details: { action: { kind: 'exec', command: 'ls' } satisfies Action, context: {}, violations: [{ name: `r${at}`, action: 'deny', place: 'p' }] } });
  const report = simulation.report();
  assert.deepEqual([report.loosened, report.flips.length], [30_000, 10_000]);
});
