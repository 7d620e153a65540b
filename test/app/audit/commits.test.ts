/** Commits of agents in a project's chain: read from git, only when they were made, and never by way of what a repository brings. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openGate } from '../../../lib/app/gate.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const needsGit = { skip: hasGit ? false : 'there is no git' };

function git(here: Ground, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const identity = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com', GIT_CONFIG_NOSYSTEM: '1' };
  const { status, stderr } = spawnSync('git', args, { cwd: here.project, env: { ...here.env, ...identity, ...env }, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** A repository with one commit of an hour ago, and its project. */
function repository(t: { after(undo: () => void): void }): Ground {
  const here = makeGround(t);
  mkdirSync(join(here.project, '.loki'));
  git(here, ['init', '--quiet', '--initial-branch=main']);
  here.write('project/a.txt', 'one\ntwo\n');
  git(here, ['add', 'a.txt']);
  const hourAgo = String(Math.floor(Date.now() / 1000) - 3600);
  git(here, ['commit', '--quiet', '-m', 'First'], { GIT_COMMITTER_DATE: `${hourAgo} +0000`, GIT_AUTHOR_DATE: `${hourAgo} +0000` });
  return here;
}

/** Asks, does, tells: what an agent's `exec` goes through. */
async function act(here: Ground, command: string, work: () => void, ok = true): Promise<void> {
  const gate = openGate(here.installation(), { agent: 'generic', waitMs: 0 });
  const action = { kind: 'exec', command, cwd: here.project } as const;
  const { allowed, audit_seq } = await gate.decide(action);
  assert.ok(allowed);
  work();
  await gate.report({ action, ok, ...(audit_seq === null ? {} : { ref: audit_seq }) });
  await gate.close();
}

function chain(here: Ground): readonly JsonObject[] {
  return readFileSync(join(here.project, '.loki/logs/agent-audit.jsonl'), 'utf8').trim().split('\n').map((line): JsonObject => JSON.parse(line));
}

const actions = (here: Ground): readonly unknown[] => chain(here).map(({ action }) => action);

test('a commit is told with its message and counts as git gives them, on its branch', needsGit, async (t) => {
  const here = repository(t);
  await act(here, 'git commit -am "Second"', () => {
    here.write('project/a.txt', 'one\nTWO\nthree\n');
    here.write('project/b.txt', 'b\n');
    git(here, ['add', '.']);
    git(here, ['commit', '--quiet', '-m', 'Second\n\nWith more words, and AKIAIOSFODNN7REALKEY as a key']);
  });
  const [entry] = chain(here);
  assert.equal(entry?.['action'], 'git_commit');
  assert.equal(entry?.['branch'], 'main');
  const { message, files_changed, insertions, deletions, commit, ok } = entry?.['details'] as JsonObject;
  assert.match(String(message), /^Second\n\nWith more words/);
  assert.deepEqual([files_changed, insertions, deletions, ok], [2, 3, 1, true]);
  assert.equal(commit, spawnSync('git', ['rev-parse', 'HEAD'], { cwd: here.project, encoding: 'utf8' }).stdout.trim());
});

test('a command that commits nothing is a cli_invoke, also right after one that did', needsGit, async (t) => {
  const here = repository(t);
  await act(here, 'git commit -m "Nothing"', () => undefined, false);
  await act(here, 'git commit --allow-empty -m ""', () => git(here, ['commit', '--quiet', '--allow-empty', '--allow-empty-message', '-m', '']));
  await act(here, 'git commit -m "Again nothing" || true', () => undefined);
  assert.deepEqual(actions(here), ['cli_invoke', 'git_commit', 'cli_invoke']);
  assert.deepEqual([(chain(here)[1]?.['details'] as JsonObject)['message'], (chain(here)[1]?.['details'] as JsonObject)['files_changed']], ['', 0]);
});

test('two commits of one command are two entries, the older first', needsGit, async (t) => {
  const here = repository(t);
  await act(here, 'git commit --allow-empty -m One && git commit --allow-empty -m Two', () => {
    for (const message of ['One', 'Two']) git(here, ['commit', '--quiet', '--allow-empty', '-m', message]);
  });
  assert.deepEqual(chain(here).map(({ details }) => (details as JsonObject)['message']), ['One', 'Two']);
});

test('a first commit, of a repository that had none, is told', needsGit, async (t) => {
  const here = makeGround(t);
  mkdirSync(join(here.project, '.loki'));
  git(here, ['init', '--quiet', '--initial-branch=main']);
  git(here, ['config', 'log.showRoot', 'false']);
  await act(here, 'git commit -m First', () => {
    here.write('project/a.txt', 'one\n');
    git(here, ['add', 'a.txt']);
    git(here, ['commit', '--quiet', '-m', 'First']);
  });
  const { files_changed, insertions } = chain(here)[0]?.['details'] as JsonObject;
  assert.deepEqual([actions(here), files_changed, insertions], [['git_commit'], 1, 1]);
});

test('no repository, or one that is damaged: a cli_invoke, and nothing fails', needsGit, async (t) => {
  const here = makeGround(t);
  mkdirSync(join(here.project, '.loki'));
  await act(here, 'git commit -m x', () => undefined);
  here.write('project/.git/HEAD', 'garbage');
  await act(here, 'git commit -m y', () => undefined);
  assert.deepEqual(actions(here), ['cli_invoke', 'cli_invoke']);
});

test('a hostile repository has nothing of its own run: hooks, pagers, diff programs, filters, monitors, transports', needsGit, async (t) => {
  const here = repository(t);
  // A path without a space: git hands some of these to a shell.
  const folder = mkdtempSync(join(tmpdir(), 'loki-evil-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [marker, program] = [join(folder, 'ran'), join(folder, 'evil.sh')];
  writeFileSync(program, `#!/bin/sh\necho "$0 $@" >> '${marker}'\n`);
  chmodSync(program, 0o755);
  here.write('project/.gitattributes', '* diff=evil filter=evil\n');
  here.write('project/a.txt', 'changed\n');
  git(here, ['add', '.']);
  git(here, ['commit', '--quiet', '-m', 'Second']);
  const settings = [
    ['core.pager', program], ['pager.log', program], ['diff.evil.command', program], ['diff.evil.textconv', program], ['diff.external', program], ['filter.evil.clean', program], ['filter.evil.smudge', program],
    ['core.fsmonitor', program], ['core.hooksPath', folder], ['core.sshCommand', program], ['gpg.program', program], ['log.showSignature', 'true'], ['core.editor', program],
    ['remote.origin.url', 'ssh://example.invalid/x'], ['remote.origin.promisor', 'true'], ['remote.origin.uploadpack', program], ['extensions.partialClone', 'origin'], ['core.repositoryFormatVersion', '1'], ['protocol.ssh.allow', 'always'], ['protocol.ext.allow', 'always'],
  ] as const;
  for (const [name, value] of settings) git(here, ['config', name, `${value}`]);
  const blob = spawnSync('git', ['rev-parse', 'HEAD:a.txt'], { cwd: here.project, encoding: 'utf8' }).stdout.trim();
  // A blob that is missing is what a partial clone would fetch.
  const object = join(here.project, '.git/objects', blob.slice(0, 2), blob.slice(2));
  assert.ok(existsSync(object));
  rmSync(object, { force: true });
  await act(here, 'git commit -m x', () => undefined);
  assert.equal(existsSync(marker), false, existsSync(marker) ? readFileSync(marker, 'utf8') : '');
  assert.equal(actions(here).length, 1);
});
