/**
 * The command that stands in agents' settings, run by the shell as agents run it: every way in which our program can fail is a no
 * where the answer decides, and stops nobody where it does not.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { handedDown, hookCommandLine, hookPath, shellQuoted } from '../../lib/agents/hook-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'loki\'s "hook" '));
after(() => rmSync(folder, { recursive: true }));
const fake = join(folder, 'fake $HOME.sh');
writeFileSync(fake, 'case "$FAKE" in\n'
  + 'nothing) ;;\njson) printf \'{"decision":"block","reason":"it'
  + '\'"\'"\'s $HOME `no` \\\\n"}\' ;;\nempty) printf \'{}\' ;;\nlines) printf \'{\\n  "a": 1\\n}\\n\' ;;\n'
  + 'one) exit 1 ;;\nthree) echo why >&2; exit 3 ;;\nkilled) kill -9 $$ ;;\ngarbage) echo hello ;;\nlogged) echo started; echo \'{"a":1}\' ;;\nbefore) echo \'{"a":1}\'; echo ended ;;\n'
  + 'cut) printf \'{"decision":"bl\' ;;\nlist) printf \'[1]\' ;;\nno) echo because >&2; exit 2 ;;\nnospeak) printf \'{"a":1}\'; exit 2 ;;\nhang) exec sleep 30 ;;\nhuge) head -c 3000000 /dev/zero | tr \'\\0\' x ;;\n'
  + 'args) printf \'{%s}\' "$*" ;;\nenv) printf \'{%s}\' "$(env | sort | tr \'\\n\' \' \')" ;;\ninput) printf \'{%s}\' "$(cat)" ;;\nesac\n');

const timeoutProgram = ['/usr/bin/timeout', '/bin/timeout'].find((path) => existsSync(path));

interface Run { readonly fake: string; readonly guard?: 'closed' | 'open'; readonly program?: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly input?: string; readonly project?: string }

function run({ fake: what, guard = 'closed', program = ['/bin/sh', fake], env = {}, input = '', project }: Run): { readonly exit: number | null; readonly stdout: string; readonly stderr: string } {
  const line = hookCommandLine({
    agent: 'claude', program, env: { HOME: '/h', PATH: hookPath, FAKE: what }, seconds: 1, guard, flags: ['--wait', '5m'],
    ...(project === undefined ? {} : { project }), ...(timeoutProgram === undefined ? {} : { timeoutProgram }),
  });
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8', input, env: { PATH: '/nowhere', ...env }, timeout: 20_000 });
  return { exit: status, stdout, stderr };
}

const refusal = /loki: this call is not allowed \(policy hook: exit code \d+\)\n$/;

test('an answer goes through as it is: nothing, or one object', () => {
  assert.deepEqual(run({ fake: 'nothing' }), { exit: 0, stdout: '', stderr: '' });
  assert.deepEqual(run({ fake: 'json' }), { exit: 0, stdout: '{"decision":"block","reason":"it\'s $HOME `no` \\n"}', stderr: '' });
  assert.deepEqual(run({ fake: 'empty' }), { exit: 0, stdout: '{}', stderr: '' });
  assert.deepEqual(run({ fake: 'lines' }), { exit: 0, stdout: '{\n  "a": 1\n}', stderr: '' });
  assert.deepEqual(run({ fake: 'json', guard: 'open' }).stdout, '{"decision":"block","reason":"it\'s $HOME `no` \\n"}');
});

const failures: readonly string[] = ['one', 'three', 'killed', 'garbage', 'logged', 'before', 'cut', 'list', 'no', 'nospeak', 'huge'];

for (const what of failures) {
  test(`${what}: a no where the answer decides, nothing where it does not`, () => {
    const { exit, stdout, stderr } = run({ fake: what });
    assert.equal(exit, 2);
    assert.equal(stdout, '');
    assert.match(stderr, refusal);
    assert.deepEqual(run({ fake: what, guard: 'open' }), { exit: 0, stdout: '', stderr: '' });
  });
}

test('a program that is not there, or does not start, is a no', () => {
  for (const program of [['/nowhere/node', 'x.js'], [folder], ['/bin/sh', '/nowhere/loki.cjs']]) {
    const { exit, stdout, stderr } = run({ fake: 'json', program });
    assert.deepEqual([exit, stdout], [2, '']);
    assert.match(stderr, refusal);
    assert.deepEqual(run({ fake: 'json', program, guard: 'open' }), { exit: 0, stdout: '', stderr: '' });
  }
});

test('a program that hangs is ended, and that is a no', (t) => {
  if (timeoutProgram === undefined) return t.skip('there is no timeout(1) here');
  const began = performance.now();
  const { exit, stdout, stderr } = run({ fake: 'hang' });
  assert.deepEqual([exit, stdout], [2, '']);
  assert.match(stderr, refusal);
  assert.ok(performance.now() - began < 10_000);
});

test('our program gets the environment that was written down, and of the agent\'s only what names a session', () => {
  const bent = { NODE_OPTIONS: '--require /tmp/x', LOKI_HOME: '/tmp/other', LOKI_PROJECT_DIR: '/tmp', HOME: '/tmp', FAKE: 'nothing', BASH_ENV: '/tmp/x', LOKI_SESSION_ID: 'ses_1; echo "$HOME"', TRACEPARENT: '00-a b' };
  const { stdout } = run({ fake: 'env', env: bent });
  const names = stdout.slice(1, -1);
  assert.match(names, /(?:^| )FAKE=env HOME=\/h LOKI_SESSION_ID=ses_1; echo "\$HOME" (?:.* )?PATH=\/usr\/local\/bin:\/usr\/bin:\/bin (?:.* )?TRACEPARENT=00-a b /);
  assert.doesNotMatch(names, /NODE_OPTIONS|LOKI_HOME|LOKI_PROJECT_DIR|BASH_ENV/);
  assert.ok(handedDown.every((name) => name === 'LOKI_SESSION_ID' || name === 'TRACEPARENT' || !names.includes(name)));
});

test('input, arguments and odd words arrive whole', () => {
  const project = '/p/it\'s "a" $(b) `c`\\d';
  assert.equal(run({ fake: 'args', project }).stdout, `{hook claude --project ${project} --wait 5m}`);
  const input = JSON.stringify({ text: `'"$(x)\`\\\n${'x'.repeat(200_000)}` });
  assert.equal(run({ fake: 'input', input }).stdout, `{${input}}`);
  assert.equal(shellQuoted('it\'s'), '\'it\'\\\'\'s\'');
  assert.equal(shellQuoted('/usr/bin/node'), '/usr/bin/node');
});
