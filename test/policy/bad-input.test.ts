/**
 * What hurts, at the judge: paths that lie, texts that break, contents that are too large. Each is named, and none opens
 * anything. Commands that hurt are in `shell-bad-input.test.ts`.
 */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { createJudge, type Judgement } from '../../lib/policy/judge.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { diskProbe, policyOf } from '../support/policy.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki bad ')));
after(() => rmSync(home, { recursive: true, force: true }));
const project = join(home, 'p');
for (const folder of ['.loki/keys', 'p/.loki', 'p/src', 'elsewhere']) mkdirSync(join(home, folder), { recursive: true });
writeFileSync(join(home, 'elsewhere/secret'), 'x');
symlinkSync(join(home, 'elsewhere'), join(project, 'out'));
symlinkSync('nowhere-yet', join(project, 'dangling'));
symlinkSync(join(home, 'elsewhere/new'), join(project, 'dangling-out'));
symlinkSync('loop-b', join(project, 'loop-a'));
symlinkSync('loop-a', join(project, 'loop-b'));
symlinkSync('.loki', join(project, 'innocent'));
linkSync(join(home, 'elsewhere/secret'), join(project, 'hard'));

const policy = policyOf(`version: 1
policies:
  pre_execution:
    - { name: boundary, rule: "file_path must start with project_dir", action: deny }
  data:
    - { name: secrets, type: secret_detection, action: deny }
`, { probe: diskProbe, homeDir: home });
const builtins = createBuiltins({ lokiHome: join(home, '.loki'), projectDirs: [project], homeDir: home, controlPlane: ['127.0.0.1:57374'] });
const judgeBy = createJudge({ policy, builtins, probe: diskProbe, monotonic: () => 0, scanners });
const judge = (action: Action): Judgement => judgeBy(action, { project_dir: project, active_agents: 1 });
const write = (path: string): Judgement => judge({ kind: 'fs.write', file_path: path });

describe('a path that leads out is denied', () => {
  for (const [hole, path] of [
    ['through a symlink', 'out/secret'], ['through a symlink to what does not exist yet', 'dangling-out'], ['through a symlink and back up', 'out/../elsewhere/secret'],
    ['by climbing', '../elsewhere/secret'], ['by climbing from a folder that is not there', 'src/none/../../../elsewhere/secret'], ['with doubled separators', `${project}//..//elsewhere/secret`],
    ['by a name that begins as the project does', `${project}-evil/x`], ['through /proc/self/root', '/proc/self/root/etc/passwd'], ['through /proc/self/cwd', '/proc/self/cwd/x'],
    ['through the root of another process', '/proc/1/root/etc/passwd'], ['through a thread', '/proc/self/task/1/root/etc/passwd'], ['through an open file', '/proc/self/fd/3'],
    ['through /proc in another spelling', '/proc/./self/../self/cwd/x'], ['in a loop of symlinks', 'loop-a/x'], ['of no length', ''], ['longer than any path', `a/${'b'.repeat(5000)}`],
    ['with a NUL in it', 'src/a\0/../../../x'], ['with half a surrogate pair', 'src/\ud800x'], ['to a home by its tilde', '~/.bashrc'],
  ] as const) test(hole, () => assert.deepEqual([write(path).decision, judge({ kind: 'fs.delete', file_path: path }).decision], ['DENY', 'DENY'], path));
});

describe('a path to the settings of loki is denied in every spelling', () => {
  for (const path of ['.loki/policies.yaml', '.LOKI/policies.yaml', './/.loki//policies.yaml', 'innocent/policies.yaml', 'src/../.loki/policies.yaml', '.loki./policies.yaml', '.loki /policies.yaml', '.lo\u200bki/policies.yaml', '.loki\\policies.yaml']) {
    test(JSON.stringify(path), () => assert.equal(write(path).violations[0]?.name, 'builtin:protected-files'));
  }
});

describe('what only looks like something else is what it is', () => {
  test('a homoglyph is another name, inside the project', () => assert.equal(write('src/\u0430.ts').decision, 'ALLOW'));
  test('a right-to-left mark does not turn a path around, and is recorded as it is', () => {
    const judged = write('src/\u202egpj.exe');
    assert.equal(judged.decision, 'ALLOW');
    assert.equal(judged.canonical['file_path'], join(project, 'src/\u202egpj.exe'));
  });
  test('a dangling symlink inside the project leads to where it points', () => assert.equal(write('dangling').decision, 'ALLOW'));
  test('a hard link cannot be told from the file itself: it is allowed, and docs/threat-model.md says so', () => assert.equal(write('hard').decision, 'ALLOW'));
});

describe('content', () => {
  test('of ten megabytes is not searched, and denied', () => {
    const judged = judge({ kind: 'fs.write', file_path: 'src/a', content: 'x'.repeat(10 * 1024 * 1024) });
    assert.equal(judged.decision, 'DENY');
    assert.match(judged.reason, /content is longer than 8388608 characters/);
  });
  test('of lone surrogates, NULs and marks is searched all the same', () => {
    const key = `AKIA${'QX7R'.repeat(4)}`;
    const judged = judge({ kind: 'fs.write', file_path: 'src/a', content: `\ud800\0\u202e ${key} \udfff` });
    assert.deepEqual([judged.decision, JSON.stringify(judged).includes(key)], ['DENY', false]);
  });
  test('that nests deep in the arguments of a tool nobody knows is put before a person or read', () => {
    const deep = `${'['.repeat(5000)}".loki/policies.yaml"${']'.repeat(5000)}`;
    assert.notEqual(judge({ kind: 'mcp', mcp_server: 's', mcp_tool: 't', content: deep }).decision, 'ALLOW');
  });
});
