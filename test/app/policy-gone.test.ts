/** An enrolled policy that is deleted, cleaned, stashed, checked out or edited opens nothing, and comes back in one line. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { performInit, planInit } from '../../lib/app/enrol.ts';
import { projectOf } from '../../lib/app/installation.ts';
import { policyService } from '../../lib/app/policy-service.ts';
import { changeSinceEnrolment } from '../../lib/app/policy.ts';
import type { Ground } from '../support/ground.ts';
import { makeGround } from '../support/ground.ts';

const policy = 'version: 1\npolicies:\n  pre_execution:\n    - { name: no-push, when: \'command matches "git push*"\', action: deny }\n';

function git(project: string, ...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: project, stdio: 'ignore' });
}

async function ask({ loki }: Ground): Promise<{ readonly exit: number | null; readonly reason: string }> {
  const { exit, stdout } = await loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
  const verdict: { readonly reason: string } = JSON.parse(stdout);
  return { exit, reason: verdict.reason };
}

const ways: readonly (readonly [how: string, tracked: boolean, take: (project: string) => void])[] = [
  ['deleted', false, (project) => rmSync(join(project, '.loki/policies.yaml'))],
  ['deleted with its folder', false, (project) => rmSync(join(project, '.loki'), { recursive: true })],
  ['taken by git clean', false, (project) => git(project, 'clean', '-fdxq')],
  ['stashed', false, (project) => git(project, 'stash', '-uq')],
  ['another branch\'s', true, (project) => git(project, 'checkout', '-q', 'bare')],
  ['edited', true, (project) => writeFileSync(join(project, '.loki/policies.yaml'), 'version: 1\npolicies: {}\n')],
];

for (const [how, tracked, take] of ways) {
  test(`a policy that is ${how} denies everything, says how it is repaired, and is restored`, async (t) => {
    const ground = makeGround(t);
    const { project, write, loki, enrol } = ground;
    write('project/readme', 'x');
    git(project, 'init', '-q');
    git(project, 'add', 'readme');
    git(project, 'commit', '-qm', 'first');
    git(project, 'branch', 'bare');
    write('project/.loki/policies.yaml', policy);
    if (tracked) {
      git(project, 'add', '-f', '.loki/policies.yaml');
      git(project, 'commit', '-qm', 'policy');
    }
    await enrol();
    assert.equal((await ask(ground)).exit, 0);
    take(project);
    const denied = await ask(ground);
    assert.equal(denied.exit, 3);
    assert.match(denied.reason, /\.loki\/policies\.yaml (?:is missing|differs from what was enrolled)\. A person brings back what was enrolled with: loki policy restore; or accepts what is there with: loki init$/);
    const byAgent = await loki(['hook', 'generic'], { input: '{"kind":"exec","command":"loki policy restore --yes"}' });
    assert.equal(byAgent.exit, 3, 'an agent does not repair it');
    const restored = await loki(['policy', 'restore', '--yes']);
    assert.deepEqual([restored.exit, restored.stdout], [0, '.loki/policies.yaml is as it was enrolled again.\n']);
    assert.equal(readFileSync(join(project, '.loki/policies.yaml'), 'utf8'), policy);
    assert.equal((await ask(ground)).exit, 0);
  });
}

test('a policy that is gone or edited opens no deployment either', async (t) => {
  const { project, write, loki, enrol, installation } = makeGround(t);
  write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_deployment:\n    - { name: tested, gates: [unit-tests], action: deny }\n');
  const context = write('context.json', '{"passed_gates":["unit-tests"]}');
  await enrol();
  const evaluate = (): ReturnType<typeof loki> => loki(['policy', 'evaluate', 'pre_deployment', '--context', context, '--json']);
  assert.equal((await evaluate()).exit, 0);
  rmSync(join(project, '.loki/policies.yaml'));
  const gone = await evaluate();
  assert.deepEqual([gone.exit, JSON.parse(gone.stdout).violations[0].name], [3, 'project.changed']);
  assert.match(gone.stdout, /\.loki\/policies\.yaml is missing\. A person brings back what was enrolled with: loki policy restore/);
  const id = installation().project?.id;
  assert.equal((await policyService(installation()).evaluate(id, 'pre_deployment', {}, false))['decision'], 'DENY', 'over the API');
  const check = await loki(['policy', 'check']);
  assert.deepEqual([check.exit, check.stdout], [2, ''], 'it is not said that there is no policy');
  assert.match(check.stderr, /\.loki\/policies\.yaml is missing\): everything is denied/);
  assert.match((await loki(['status'])).stdout, /EVERYTHING IS DENIED.*\nTo repair it: A person brings back what was enrolled with: loki policy restore/);
});

test('a program that takes the policy away during a session ends the session', { timeout: 60_000 }, async (t) => {
  const { project, write, loki, enrol, entries } = makeGround(t);
  write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_deployment:\n    - { name: tested, gates: [unit-tests], action: deny }\n');
  write('project/PRD.md', '# Do it\n');
  write('project/clean.mjs', 'import { unlinkSync } from "node:fs"; unlinkSync([".loki", "policies.yaml"].join("/"));\n');
  write('home/config.yaml', 'runs: {council: {reviewers: [], required: 0}, max_iterations: 1}\n');
  const script = write('script.json', JSON.stringify({ version: 1, title: 'takes the policy away', rounds: [{ ACT: [{ run: 'node clean.mjs' }] }] }));
  git(project, 'init', '-q');
  await enrol();
  const { exit, stdout } = await loki(['start', 'PRD.md', '--provider', 'scripted', '--script', script]);
  assert.equal(exit, 1, stdout);
  assert.match(stdout, /\.loki\/policies\.yaml is missing/);
  assert.ok(entries().some(({ event }) => event === 'run.fail'));
});

test('what is restored is what was enrolled, or nothing', async (t) => {
  const { project, home, write, loki, enrol, installation } = makeGround(t);
  assert.deepEqual([(await loki(['policy', 'restore', '--yes'])).exit], [2], 'no project');
  write('project/.loki/policies.yaml', policy);
  assert.match((await loki(['policy', 'restore', '--yes'])).stderr, /the project is not enrolled/);
  await enrol();
  assert.match((await loki(['policy', 'restore', '--yes'])).stdout, /nothing was written/);
  rmSync(join(project, '.loki/policies.yaml'));
  write('project/.loki/policies.json', '{"version":1,"policies":{}}');
  const shadowed = await loki(['policy', 'restore', '--yes']);
  assert.deepEqual([shadowed.exit, /policies\.json was not there when it was enrolled/.test(shadowed.stderr)], [3, true]);
  rmSync(join(project, '.loki/policies.json'));
  const kept = join(home, 'projects', `${installation().project?.id ?? ''}.policy`);
  writeFileSync(kept, 'version: 1\npolicies: {}\n');
  const forged = await loki(['policy', 'restore', '--yes']);
  assert.deepEqual([forged.exit, /the kept copy is missing or is not what was enrolled/.test(forged.stderr)], [3, true]);
  const unasked = await loki(['policy', 'restore']);
  assert.notEqual(unasked.exit, 0, 'without a terminal and --yes nothing is written');
});

test('a policy that is exchanged between the question and the answer is not enrolled', async (t) => {
  const { project, write, installation } = makeGround(t);
  write('project/.loki/policies.yaml', policy);
  const here = installation();
  const plan = planInit(here, projectOf(here, project), false);
  write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  await assert.rejects(performInit(here, plan, 'user:tester'), { code: 'project.changed', message: 'Cannot enrol the project: .loki/policies.yaml changed while you were asked' });
  assert.equal(changeSinceEnrolment(installation()), undefined, 'nothing is enrolled');
  write('project/.loki/policies.yaml', policy);
  await performInit(here, plan, 'user:tester');
  assert.equal(changeSinceEnrolment(installation()), undefined);
});

test('hook settings that an agent changes in the project deny everything', async (t) => {
  const ground = makeGround(t);
  const { project, write, enrol } = ground;
  write('project/.loki/policies.yaml', policy);
  write('project/.claude/settings.json', '{"hooks":{"PreToolUse":[{"matcher":"*"}]}}');
  await enrol();
  assert.equal((await ask(ground)).exit, 0);
  write('project/.claude/settings.local.json', '{"disableAllHooks":true}');
  const denied = await ask(ground);
  assert.equal(denied.exit, 3);
  assert.match(denied.reason, /\.claude\/settings\.local\.json was not there when the project was enrolled\. A person puts it back, or accepts it as it is with: loki init$/);
  rmSync(join(project, '.claude/settings.local.json'));
  assert.equal((await ask(ground)).exit, 0);
});

test('a policy that is another one only while it is judged by denies', async (t) => {
  const { write, enrol, installation } = makeGround(t);
  write('project/.loki/policies.yaml', policy);
  await enrol();
  const { createActionJudge } = await import('../../lib/app/action-judge.ts');
  const { createPolicySource, loadLayers, policyOf } = await import('../../lib/app/policy.ts');
  const here = installation();
  const weak = policyOf(here, loadLayers([{ layer: 'project', filename: '.loki/policies.yaml', text: 'version: 1\npolicies: {}\n' }]));
  const judge = (by: typeof weak): readonly [string, string] => {
    const { decision } = createActionJudge(here, 'test', () => by)({ kind: 'exec', command: 'ls' });
    return [decision.decision, decision.reason];
  };
  assert.equal(judge(createPolicySource(here)())[0], 'ALLOW');
  const [decision, reason] = judge(weak);
  assert.equal(decision, 'DENY');
  assert.match(reason, /\.loki\/policies\.yaml was another one while it was judged by/);
});

test('a policy with a byte order mark is enrolled and judged by like any other', async (t) => {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', `\ufeff${policy}`);
  await ground.enrol();
  assert.equal((await ask(ground)).exit, 0);
});
