import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allowedEnvironment } from '../../lib/runs/environment.ts';
import { branchName, surveyGround } from '../../lib/runs/branch.ts';
import { resumeRun, startRun } from '../../lib/runs/runner.ts';
import { Repository, type GitPorts } from '../../lib/runs/git.ts';
import { progressOf } from '../../lib/runs/progress.ts';
import { allowed, decision } from '../support/run-bench.ts';
import { realRun, type RealRun } from '../support/real-run.ts';

const idle = ['/bin/sh', '-c', 'echo done'];

function ports({ host, projectDir, order }: RealRun): GitPorts {
  return { spawn: host.spawn, disk: host.disk, projectDir, env: allowedEnvironment(order.env) };
}

test('a branch is named after time and process', () => {
  assert.equal(branchName(Date.parse('2026-02-15T14:30:22.123Z'), 12345), 'loki/session-20260215-143022-12345');
});

test('changes hold what was added to each file, committed, changed or new', async (t) => {
  const run = realRun(t, { argv: idle });
  const repository = new Repository(ports(run));
  const base = await repository.head();
  assert.ok(base !== undefined);
  writeFileSync(join(run.projectDir, 'src/money.js'), 'export const committed = 1;\n');
  run.git('commit', '-aqm', 'one');
  writeFileSync(join(run.projectDir, 'src/a b.js'), 'new one\n');
  writeFileSync(join(run.projectDir, 'src/"quoted" ü.js'), 'new two\n');
  writeFileSync(join(run.projectDir, 'src/report.js'), '++ b/src/forged.js\n@@ -1,9 +1,9 @@\n--- a/x\nlast without newline');
  rmSync(join(run.projectDir, 'src/csv.js'));
  writeFileSync(join(run.projectDir, 'src/binary.bin'), Buffer.from([0, 1, 2, 255, 65]));
  symlinkSync('/etc/passwd', join(run.projectDir, 'link'));
  mkdirSync(join(run.projectDir, '.loki/state'), { recursive: true });
  writeFileSync(join(run.projectDir, '.loki/policies.yaml'), 'changed');
  const { files, text } = await repository.changesSince(base);
  const added = Object.fromEntries(files.map((file) => [file.path, file.unread ?? file.added]));
  assert.deepEqual(added, {
    'src/csv.js': '',
    'src/money.js': 'export const committed = 1;',
    'src/report.js': '++ b/src/forged.js\n@@ -1,9 +1,9 @@\n--- a/x\nlast without newline',
    'link': '/etc/passwd',
    'src/"quoted" ü.js': 'new two\n',
    'src/a b.js': 'new one\n',
    'src/binary.bin': '\u0000\u0001\u0002\uFFFDA',
  });
  assert.match(text, /\+export const committed = 1;/);
  assert.match(text, /\+\+\+ b\/src\/a b\.js\n\+new one/);
});

test('hooks and external diff programs of the repository do not run', async (t) => {
  const run = realRun(t, { argv: idle });
  const trap = join(run.dir, 'trapped');
  run.git('config', 'diff.external', `touch "${trap}"; true`);
  run.git('config', 'core.fsmonitor', `touch "${trap}"; false`);
  writeFileSync(join(run.projectDir, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch "${trap}"\n`, { mode: 0o755 });
  writeFileSync(join(run.projectDir, 'src/money.js'), 'changed\n');
  const repository = new Repository(ports(run));
  assert.equal((await repository.changesSince(await repository.head() ?? '')).files.length, 1);
  await repository.startBranch('loki/x');
  assert.equal(run.host.disk.stat(trap), undefined);
});

test('filters of the repository and settings of its submodules do not run', async (t) => {
  const run = realRun(t, { argv: idle });
  const trap = join(run.dir, 'trapped');
  writeFileSync(join(run.projectDir, '.gitattributes'), '*.js filter=x\n');
  mkdirSync(join(run.projectDir, '.git/info'), { recursive: true });
  writeFileSync(join(run.projectDir, '.git/info/attributes'), 'src/csv.js filter=y=z\n');
  const inner = join(run.projectDir, 'inner');
  mkdirSync(inner);
  run.git('init', '-q', inner);
  run.git('-C', inner, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'one');
  run.git('update-index', '--add', '--cacheinfo', `160000,${run.git('-C', inner, 'rev-parse', 'HEAD').trim()},inner`);
  run.git('commit', '-qm', 'with one inside');
  for (const driver of ['x', 'y=z']) {
    run.git('config', `filter.${driver}.clean`, `touch "${trap}"; cat`);
    run.git('config', `filter.${driver}.process`, `touch "${trap}"; false`);
    run.git('config', `filter.${driver}.required`, 'true');
  }
  run.git('-C', inner, 'config', 'core.fsmonitor', `touch "${trap}"; false`);
  for (const name of ['money', 'csv']) writeFileSync(join(run.projectDir, `src/${name}.js`), 'changed\n');
  const repository = new Repository(ports(run));
  const { files } = await repository.changesSince(await repository.head() ?? '');
  assert.deepEqual(files.map(({ path, added }) => [path, added.trim()]), [['src/csv.js', 'changed'], ['src/money.js', 'changed'], ['.gitattributes', '*.js filter=x']]);
  assert.deepEqual(await repository.modified(), ['src/csv.js', 'src/money.js']);
  await repository.startBranch('loki/x');
  assert.equal(run.host.disk.stat(trap), undefined);
});

test('branch protection refuses, before anything is recorded, what it cannot protect', async (t) => {
  const settings = { branch_protection: true };
  const dirty = realRun(t, { argv: idle, settings });
  writeFileSync(join(dirty.projectDir, 'src/money.js'), 'changed\n');
  await assert.rejects(startRun(dirty.deps, dirty.order), { code: 'conflict', message: `Cannot work on a branch of its own in "${dirty.projectDir}": 1 changed files are not committed (src/money.js)` });

  const bare = realRun(t, { argv: idle, settings });
  rmSync(join(bare.projectDir, '.git'), { recursive: true });
  await assert.rejects(startRun(bare.deps, bare.order), { code: 'conflict', message: `Cannot work on a branch of its own in "${bare.projectDir}": it is in no git repository` });
  bare.git('init', '-q');
  await assert.rejects(startRun(bare.deps, bare.order), { code: 'conflict', message: `Cannot work on a branch of its own in "${bare.projectDir}": there is no commit yet` });

  const gitless = realRun(t, { argv: ['/bin/echo'], settings, env: { PATH: '/nowhere' } });
  await assert.rejects(startRun(gitless.deps, gitless.order), { code: 'provider.missing', message: 'Cannot look at the project with git: there is no git on PATH' });
  for (const run of [dirty, bare, gitless]) assert.equal(run.bench.recorded.length, 0);
});

test('files git does not know and our own do not keep a run from its branch', async (t) => {
  const run = realRun(t, { argv: idle, settings: { branch_protection: true } });
  writeFileSync(join(run.projectDir, 'PRD.md'), 'draft');
  writeFileSync(join(run.projectDir, '.loki/config.yaml'), 'runs: {}\n');
  const outcome = await startRun(run.deps, run.order);
  assert.equal(outcome.status, 'completed', outcome.reason);
  assert.equal(run.git('branch', '--show-current').trim(), progressOf(outcome.run).branch);
});

test('a project in no repository can be worked on without a branch, and the run says what it cannot see', async (t) => {
  const run = realRun(t, { argv: idle });
  rmSync(join(run.projectDir, '.git'), { recursive: true });
  const outcome = await startRun(run.deps, run.order);
  assert.equal(outcome.status, 'completed');
  const events = await run.bench.events(outcome.run.id);
  assert.ok(events.some(({ details }) => details['message'] === 'The project is in no git repository: the changes as a whole cannot be reviewed'));
});

test('a secret that got past single writes is found in the changes as a whole', async (t) => {
  const prompts: string[] = [];
  const run = realRun(t, {
    argv: ['/bin/sh', '-c', 'if [ "$LOKI_PHASE" = ACT ]; then printf "k = secret\\n" > src/leak.js; fi; echo done'],
    settings: { max_iterations: 1, council: { reviewers: ['security'], required: 1 } },
    deps: { judgeData: async (content, path, direction) => (direction === 'prompt' ? (prompts.push(content), allowed) : direction === 'write' && content.includes('secret') ? { ...decision('DENY', 'secret-scan'), reason: `a secret stands in ${path ?? ''}` } : allowed) },
  });
  const outcome = await startRun(run.deps, run.order);
  assert.equal(outcome.reason, 'not accepted after 1 rounds: Data policy: "src/leak.js": a secret stands in src/leak.js');
  assert.ok(run.bench.recorded.some(({ event, details }) => event === 'policy.deny' && details?.['point'] === 'data'));
  assert.ok(prompts.some((prompt) => prompt.includes('(withheld by data policy: "src/leak.js"')));
  assert.ok(prompts.every((prompt) => !prompt.includes('k = secret')), 'what the data policy refuses is in no prompt');
  assert.equal(prompts.length, 3, 'and the council is not asked');
});

test('a run is not taken up while another branch than its own is checked out', async (t) => {
  let writes = 0;
  const run = realRun(t, { argv: idle, settings: { branch_protection: true } });
  const dying = { ...run.deps, store: { ...run.deps.store, async transact(...args: Parameters<typeof run.deps.store.transact>) {
    writes += 1;
    if (writes > 4) throw new Error('the process is dead');
    return run.deps.store.transact(...args);
  } } };
  await assert.rejects(startRun(dying, run.order), /the process is dead/);
  const branch = run.git('branch', '--show-current').trim();
  run.git('switch', '-q', 'main');
  await assert.rejects(resumeRun(run.deps, run.order), (error: Error & { code?: string; hint?: string }) => error.code === 'conflict' && error.message.includes(`its branch is "${branch}", and "main" is checked out`) && error.hint === `Run: git switch ${branch}`);
  run.git('switch', '-q', branch);
  assert.equal((await resumeRun(run.deps, run.order)).status, 'completed');
});

test('without protection no branch is made', async (t) => {
  const run = realRun(t, { argv: idle });
  const ground = await surveyGround(ports(run), false, run.host.clock, run.host.facts);
  assert.equal(ground.branch, null);
  assert.match(ground.base ?? '', /^[0-9a-f]{40}$/);
  assert.equal((await startRun(run.deps, run.order)).status, 'completed');
  assert.equal(run.git('branch', '--show-current').trim(), 'main');
});
