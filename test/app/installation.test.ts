/** Which LOKI_HOME and which project a command works with. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { openInstallation, prepareHome, requireProject, type Installation } from '../../lib/app/installation.ts';
import { endOf } from '../support/child.ts';
import { makeGround } from '../support/ground.ts';
import { lokiProgram } from '../support/story.ts';

function at(root: string, cwd: string, env: Readonly<Record<string, string>> = {}, project?: string): Installation {
  return openInstallation({ env, cwd: join(root, cwd), homeDirectory: root }, project === undefined ? {} : { project });
}

describe('the project', () => {
  test('is the one that is named, else the session\'s, else the one around the working directory', (t) => {
    const { root } = makeGround(t);
    for (const name of ['here', 'session', 'named']) mkdirSync(join(root, name, '.loki'), { recursive: true });
    const session = { LOKI_PROJECT_DIR: join(root, 'session') };
    assert.equal(at(root, 'here').project?.dir, join(root, 'here'));
    assert.equal(at(root, 'here', session).project?.dir, join(root, 'session'));
    assert.equal(at(root, 'here', session, '../named').project?.dir, join(root, 'named'), 'a relative name is seen from the working directory');
    assert.equal(at(root, 'here', { LOKI_PROJECT_DIR: '' }).project?.dir, join(root, 'here'), 'an empty variable is none');
    assert.equal(at(root, 'project').project, undefined);
  });

  test('of a session that is gone is an error, not the nearest other one', (t) => {
    const { root } = makeGround(t);
    mkdirSync(join(root, 'here/.loki'), { recursive: true });
    assert.throws(() => at(root, 'here', { LOKI_PROJECT_DIR: join(root, 'gone') }), { code: 'project.unknown', message: /there is no such directory/ });
  });

  test('that is needed and not there is told with what to do', (t) => {
    const { root } = makeGround(t);
    assert.throws(() => requireProject(at(root, 'project')), { code: 'project.unknown', message: `Cannot find the project: no directory above "${root}/project" is enrolled or has a .loki folder`, hint: /Run loki init/ });
  });

  test('is nobody\'s home because LOKI_HOME lies in it', (t) => {
    const { root } = makeGround(t);
    mkdirSync(join(root, '.loki'));
    assert.equal(at(root, 'project').project, undefined);
    assert.equal(at(root, 'project').home.home, join(root, '.loki'), 'the default');
    assert.equal(at(root, 'project', { LOKI_HOME: join(root, 'elsewhere') }).project?.dir, root, 'with another LOKI_HOME it is a project like any other');
  });

  test('with a configuration that has mistakes is an error that names them all', (t) => {
    const { root, write } = makeGround(t);
    write('project/.loki/config.yaml', 'runs:\n  max_iterations: many\n  colour: red\n');
    assert.throws(() => at(root, 'project'), (error) => error instanceof LokiError && error.code === 'config.invalid' && error.problems.length === 2);
    write('project/.loki/config.json', '{}');
    assert.throws(() => at(root, 'project'), { code: 'config.invalid', message: /config\.yaml and config\.json/ });
  });
});

describe('LOKI_HOME', () => {
  test('is made when something is to be recorded and not before, private to its owner, parents and all', (t) => {
    const { root } = makeGround(t);
    const here = at(root, 'project', { LOKI_HOME: join(root, 'a/b/home') });
    assert.equal(here.host.disk.stat(join(root, 'a')), undefined);
    prepareHome(here);
    for (const part of ['a/b/home', 'a/b/home/run']) assert.equal((here.host.disk.stat(join(root, part))?.mode ?? 0) & 0o777, 0o700, part);
  });

  test('is absolute, and its real path counts', (t) => {
    const { root } = makeGround(t);
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    assert.equal(at(root, 'project', { LOKI_HOME: join(root, 'link') }).home.home, join(root, 'real'));
    assert.throws(() => at(root, 'project', { LOKI_HOME: '../link' }), { code: 'config.invalid', message: /accepted is an absolute path/ });
  });

  test('that is a file is told when something is to be recorded', (t) => {
    const { root, home } = makeGround(t);
    writeFileSync(home, '');
    assert.throws(() => prepareHome(at(root, 'project', { LOKI_HOME: home })), (error) => error instanceof LokiError && error.message.includes(home));
  });
});

test('a working directory that has been removed is an error of usage', () => {
  const surroundings = { env: {}, homeDirectory: '/', get cwd(): string { throw Object.assign(new Error('ENOENT: uv_cwd'), { code: 'ENOENT' }); } };
  assert.throws(() => openInstallation(surroundings), { code: 'usage', message: 'Cannot find the working directory: it does not exist any more', hint: 'Change to a directory that exists' });
});

test('a working directory that has been removed is told, and is a no to an agent', async (t) => {
  if (lokiProgram.length > 1) return t.diagnostic('what compiles sources on the fly needs a working directory itself: tried only when built');
  const { root, env } = makeGround(t);
  mkdirSync(join(root, 'gone'));
  const run = (args: string): Promise<{ readonly exit: number | null; readonly stdout: string; readonly stderr: string }> => {
    const script = `rmdir "$1" 2>/dev/null || true; shift; exec "$@" ${args}`;
    mkdirSync(join(root, 'gone'), { recursive: true });
    return endOf(spawn('/bin/sh', ['-c', script, 'sh', join(root, 'gone'), process.execPath, ...lokiProgram], { cwd: join(root, 'gone'), env, timeout: 20_000, killSignal: 'SIGKILL' }), '{"kind":"exec","command":"ls"}');
  };
  const status = await run('status');
  assert.deepEqual([status.exit, status.stderr], [2, 'error: Cannot find the working directory: it does not exist any more\nhint: Change to a directory that exists\n']);
  const hook = await run('hook generic');
  assert.deepEqual([hook.exit, hook.stdout], [2, '{"decision":"DENY","allowed":false,"reason":"Cannot find the working directory: it does not exist any more","audit_seq":null}\n']);
  return undefined;
});
