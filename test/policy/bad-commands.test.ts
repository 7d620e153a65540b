/** Commands that are broken, huge or made to mislead: each ends in an answer, and none in a yes that it should not get. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { initialPolicyText } from '../../lib/policy/initial.ts';
import { createJudge } from '../../lib/policy/judge.ts';
import type { Judgement } from '../../lib/policy/judge.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';
import { diskProbe, policyOf } from '../support/policy.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bad-')));
after(() => rmSync(home, { recursive: true, force: true }));
const project = join(home, 'p');
for (const folder of ['.loki/keys', '.ssh', 'p/.loki', 'p/src']) mkdirSync(join(home, folder), { recursive: true });
writeFileSync(join(home, '.ssh', 'id_rsa'), 'x');
writeFileSync(join(home, '.loki', 'keys', 'k'), 'x');
symlinkSync(join(home, '.ssh'), join(project, 'src', 'notes'));
linkSync(join(home, '.ssh', 'id_rsa'), join(project, 'src', 'hard'));

const policy = policyOf(initialPolicyText(), { probe: diskProbe, homeDir: home });
const builtins = createBuiltins({ lokiHome: join(home, '.loki'), projectDirs: [project], homeDir: home, controlPlane: ['127.0.0.1:57374'] });
const judge = createJudge({ policy, builtins, probe: diskProbe, monotonic: () => 0, scanners });
const exec = (command: string): Judgement => judge({ kind: 'exec', command, tool: 'Bash', cwd: project }, { project_dir: project, active_agents: 1 });

const unclear = (command: string, why: RegExp): void => {
  const { decision, violations } = exec(command);
  assert.notEqual(decision, 'ALLOW');
  assert.match(violations.find(({ name }) => name === 'builtin:unclear-command')?.reason ?? 'nothing was unclear', why);
};

describe('broken and misleading commands', () => {
  test('a command of 1 MB is not read', () => unclear(`echo ${'x'.repeat(1024 * 1024)}`, /longer than 65536 characters/));
  test('a command at the limit is read', () => assert.equal(exec(`echo ${'x'.repeat(64 * 1024 - 5)}`).decision, 'ALLOW'));
  for (const [what, open, close] of [
    ['substitutions', '$(', ')'], ['backquotes and substitutions', '`$(', ')`'], ['subshells in substitutions', '$((', '))'], ['parameters', '${a:-', '}'], ['parameters in quotes', '"${a:-', '}"'], ['arithmetic', '$(( 1 + ', '))'], ['process substitutions', 'cat <(', ')'],
  ] as const) test(`nesting without end: ${what}`, () => unclear(`echo ${open.repeat(5000)}ls${close.repeat(5000)}`, /cannot be judged/));
  for (const [what, text] of [['groups', '{ '], ['subshells', '('], ['wrappers', 'sudo env '], ['statements', 'if a; then ']] as const) test(`nesting without end: ${what}`, () => assert.notEqual(exec(`${text.repeat(6000)}rm -rf /`).decision, 'ALLOW'));
  test('a template of parallel that multiplies is not followed to its end', () => unclear(Array.from({ length: 5 }, () => `parallel ${'a '.repeat(3)}`).reduce((inner) => `parallel '${inner.replaceAll("'", `'\\''`)}' ::: ${'a '.repeat(60)}`, 'echo'), /.*/));

  test('bytes that were no text', () => unclear('rm -rf src/\ufffd', /characters that cannot be read/));
  test('half a character', () => unclear('rm -rf src/\ud800', /characters that cannot be read/));
  test('NUL', () => unclear('ls \0; rm -rf src', /invisible characters/));
  test('marks that turn the line around', () => unclear('echo safe \u202e fr- mr', /invisible characters/));
  test('marks that nobody sees, in a file name', () => unclear('rm -rf src/a\u200bb', /invisible characters/));
  test('marks inside pictures of a message are nothing to ask about', () => assert.equal(exec('git commit -m "ship it \u{1f468}\u200d\u{1f469}\u200d\u{1f467}"').decision, 'ALLOW'));
  for (const [what, command] of [['single', "rm -rf / 'x"], ['double', 'git reset --hard "x'], ['backquote', 'echo `git push -f'], ['substitution', 'echo $(rm -rf /'], ['here-document', 'bash <<EOF\nrm -rf /'], ['backslash', 'rm -rf ~ \\']] as const) {
    test(`a ${what} that is not closed`, () => assert.notEqual(exec(command).decision, 'ALLOW'));
  }
  test('what was read before a quote that is not closed is judged', () => assert.equal(exec("rm -rf / 'x").decision, 'DENY'));

  test('lines that end as on Windows', () => {
    assert.equal(exec('npm ci\r\nnpm test\r\n').decision, 'ALLOW');
    assert.equal(exec('cat <<EOF\r\nrm -rf /\r\nEOF\r\n').decision, 'ALLOW');
    assert.equal(exec('ls\r\nrm -rf /\r\n').decision, 'DENY');
  });
  test('a carriage return that hides what stands before it', () => unclear('rm -rf src\rls', /carriage return/));
});

describe('names for other files', () => {
  test('a letter that looks like another names another file', () => {
    assert.deepEqual(analyzeCommand('rm .l\u043eki/x', { cwd: '/p' }).actions.filter(({ kind }) => kind === 'fs.delete').map(({ file_path }) => file_path), ['/p/.l\u043eki/x']);
    assert.equal(exec('echo x > src/\u0430.ts').decision, 'ALLOW');
  });
  test('the root of a process', () => {
    assert.equal(exec(`cat /proc/self/root${home}/.loki/keys/k`).decision, 'DENY');
    assert.match(exec(`cat /proc/self/root${home}/.loki/keys/k`).reason, /leads through a process/);
    assert.equal(exec('echo x > /proc/self/root/etc/passwd').decision, 'DENY');
    assert.notEqual(exec(`cat /proc/self/root${home}/.ssh/id_rsa`).decision, 'ALLOW');
    assert.notEqual(exec('cat /proc/self/environ').decision, 'ALLOW');
  });
  test('the directory of a process', () => assert.equal(exec('rm -rf /proc/self/cwd/.loki').decision, 'DENY'));
  test('upper and lower case of what is protected', () => {
    assert.equal(exec('echo x > .LOKI/Policies.yaml').decision, 'DENY');
    assert.equal(exec('echo x >> ../.BashRC').decision, 'DENY');
  });
  test('a symbolic link', () => assert.notEqual(exec('cat src/notes/id_rsa').decision, 'ALLOW'));
  test('a hard link is asked about when it is made, and not seen when it is there', () => {
    assert.notEqual(exec('ln ~/.ssh/id_rsa src/key').decision, 'ALLOW');
    assert.equal(exec('cat src/hard').decision, 'ALLOW');
  });
});
