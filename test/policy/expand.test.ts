/** Wildcards in commands are judged as the files they stand for. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { expandedPaths } from '../../lib/policy/expand.ts';
import { initialPolicyText } from '../../lib/policy/initial.ts';
import { diskProbe, plainProbe, policyOf } from '../support/policy.ts';

const project = realpathSync(mkdtempSync(join(tmpdir(), 'loki expand ')));
after(() => rmSync(project, { recursive: true, force: true }));
for (const folder of ['src/a', 'src/b', 'many']) mkdirSync(join(project, folder), { recursive: true });
for (const name of ['.env', 'readme', 'id_rsa', 'src/a/x.ts', 'src/b/x.ts', 'src/b/.env']) writeFileSync(join(project, name), 'x');
for (let at = 0; at < 300; at += 1) writeFileSync(join(project, 'many', `f${at}`), '');
const probe = { ...diskProbe, list: (path: string): readonly string[] => { try { return readdirSync(path).sort(); } catch { return []; } } };
const below = (paths: readonly string[]): readonly string[] => paths.map((path) => path.slice(project.length + 1));

test('as a shell expands it: no leading dot for a star, every folder that fits, nothing that is not there', () => {
  assert.deepEqual(below(expandedPaths('.e*', project, probe)), ['.env']);
  assert.deepEqual(below(expandedPaths('.e?v', project, probe)), ['.env']);
  assert.deepEqual(below(expandedPaths('*', project, probe)), ['id_rsa', 'many', 'readme', 'src']);
  assert.deepEqual(below(expandedPaths('src/*/x.ts', project, probe)), ['src/a/x.ts', 'src/b/x.ts']);
  assert.deepEqual(below(expandedPaths('src/*/.en[uvw]', project, probe)).filter((path) => path.includes('/b/')), ['src/b/.env']);
  assert.deepEqual(expandedPaths('nowhere/*', project, probe), []);
});

test('bounded: so many files, so many stars; and nothing where no disk is asked', () => {
  assert.equal(expandedPaths('many/*', project, probe).length, 200);
  assert.deepEqual(expandedPaths('*/*/*/*/*', project, probe), []);
  assert.deepEqual(expandedPaths('.e*', project, plainProbe), []);
  assert.deepEqual(expandedPaths('.e*', undefined, probe), []);
});

test('a rule about a file sees it behind a wildcard, and is not asked about what the wildcard does not name', () => {
  const policy = policyOf(initialPolicyText(), { probe });
  const decide = (command: string): string => policy.evaluate('pre_execution', { kind: 'exec', command, project_dir: project, cwd: project, active_agents: 1 }).decision;
  for (const command of ['cat .e*', 'cat .e?v', 'cat .en[v]', 'cat {.env,}', 'cd src && cat ../.e*', 'cat id_*', 'base64 src/*/.e*']) assert.equal(decide(command), 'REQUIRE_APPROVAL', command);
  for (const command of ['cat src/*/*.ts', 'ls -d s*', 'cat read*']) assert.equal(decide(command), 'ALLOW', command);
});
