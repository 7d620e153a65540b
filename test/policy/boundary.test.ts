/** The project boundary on a real disk: symlinks, dots, and how often the disk is asked. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { boundary, diskProbe, policyOf } from '../support/policy.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-boundary-')));
after(() => rmSync(root, { recursive: true, force: true }));
const project = join(root, 'project');
mkdirSync(join(project, 'src', 'deep'), { recursive: true });
mkdirSync(join(root, 'outside', 'below'), { recursive: true });
mkdirSync(join(root, 'project-two'));
writeFileSync(join(project, 'src', 'a.ts'), '');
writeFileSync(join(root, 'outside', 'secret'), '');
symlinkSync(join(root, 'outside'), join(project, 'out'));
symlinkSync(join(root, 'outside', 'below'), join(project, 'below'));
symlinkSync('../outside/new', join(project, 'dangling'));
symlinkSync('loop', join(project, 'loop'));
symlinkSync(project, join(root, 'alias'));
symlinkSync('src', join(project, 'inner'));

let asked = 0;
const counting = { realpath: (path: string) => { asked += 1; return diskProbe.realpath(path); }, readlink: diskProbe.readlink };
const policy = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n    - { name: env, when: 'file_path matches ".env"', action: deny }\n`, { probe: diskProbe });
const lone = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n`, { probe: counting });

function decide(path: string, more: Record<string, unknown> = {}): string {
  return policy.evaluate('pre_execution', { kind: 'fs.write', file_path: path, project_dir: project, ...more }).decision;
}

describe('inside', () => {
  for (const [name, path] of [
    ['a file', 'src/a.ts'], ['a file that does not exist yet', 'src/new/file.ts'], ['the project itself', '.'], ['a path with dots that stays', 'src/../src/a.ts'],
    ['through a link that stays', 'inner/a.ts'], ['through a link that stays, and back', 'inner/../src/a.ts'],
  ] as const) {
    test(`${name} is allowed`, () => assert.equal(decide(path), 'ALLOW'));
  }
  test('an absolute path through another name of the project is allowed', () => assert.equal(decide(join(root, 'alias', 'src', 'a.ts')), 'ALLOW'));
  test('a project named by a link is the same project', () => assert.equal(decide(join(project, 'src', 'a.ts'), { project_dir: join(root, 'alias') }), 'ALLOW'));
  test('a relative path starts in cwd', () => {
    assert.equal(decide('a.ts', { cwd: join(project, 'src') }), 'ALLOW');
    assert.equal(decide('secret', { cwd: join(root, 'outside') }), 'DENY');
    assert.equal(decide('a.ts', { cwd: 'src' }), 'ALLOW');
  });
});

describe('outside', () => {
  for (const [name, path] of [
    ['an absolute path', '/etc/passwd'], ['a path that climbs out', '../outside/secret'], ['a file behind a link', 'out/secret'], ['a new file behind a link', 'out/new'],
    ['a dangling link that points out', 'dangling'], ['a file below a dangling link', 'dangling/x'], ['a link to a folder, and its parent as the kernel sees it', 'below/../secret'],
    ['a folder whose name begins like the project', '../project-two/x'], ['/proc/self/root', '/proc/self/root/etc/passwd'],
  ] as const) {
    test(`${name} is denied`, () => assert.equal(decide(path), 'DENY'));
  }
  test('links that form a loop are denied with the reason', () => {
    const decision = policy.evaluate('pre_execution', { kind: 'fs.write', file_path: 'loop', project_dir: project });
    assert.equal(decision.decision, 'DENY');
    assert.match(decision.reason, /cannot be evaluated: the symlinks of ".*loop" form a loop/);
  });
  test('a pattern sees where a link leads', () => {
    symlinkSync(join(project, '.env'), join(project, 'innocent.txt'));
    assert.equal(decide('innocent.txt'), 'DENY');
  });
});

describe('the disk', () => {
  test('is asked once for a file inside, and a second time only to refuse', () => {
    asked = 0;
    assert.equal(lone.evaluate('pre_execution', { kind: 'fs.write', file_path: join(project, 'src', 'a.ts'), project_dir: project }).decision, 'ALLOW');
    assert.equal(asked, 1);
    assert.equal(lone.evaluate('pre_execution', { kind: 'fs.write', file_path: join(root, 'outside', 'secret'), project_dir: project }).decision, 'DENY');
    assert.equal(asked, 3);
  });
  test('is asked once for a path that several rules ask after, and again by the next decision', () => {
    const rule = (name: string): string => `    - { name: ${name}, when: 'file_path matches "*.${name}"', action: deny }\n`;
    const questions: string[] = [];
    const probe = { realpath: (path: string) => { questions.push(path); return diskProbe.realpath(path); }, readlink: diskProbe.readlink };
    const several = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n${rule('one')}${rule('two')}`, { probe });
    const write = { kind: 'fs.write', file_path: join(project, 'src', 'turns'), project_dir: project };
    assert.equal(several.evaluate('pre_execution', write).decision, 'ALLOW');
    assert.deepEqual(questions, [...new Set(questions)]);
    assert.ok(questions.length > 0);
    symlinkSync(join(root, 'outside', 'x.two'), join(project, 'src', 'turns'));
    const { decision, violations } = several.evaluate('pre_execution', write);
    assert.deepEqual([decision, violations.length], ['DENY', 2], 'what a path leads to is not remembered');
  });
});
