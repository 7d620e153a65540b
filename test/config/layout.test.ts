/** Where everything lies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseConfigFile, homeLayout, organisationFiles, projectLayout } from '../../lib/config/layout.ts';

test('homeLayout() gives the paths of the contract', () => {
  const home = homeLayout('/home/u/.loki');
  assert.deepEqual([home.config, home.audit, home.tlog, home.blobs, home.torn, home.legacy, home.store], [
    '/home/u/.loki/config.yaml', '/home/u/.loki/dashboard/audit', '/home/u/.loki/dashboard/tlog', '/home/u/.loki/dashboard/blobs',
    '/home/u/.loki/dashboard/torn', '/home/u/.loki/dashboard/legacy', '/home/u/.loki/dashboard/store',
  ]);
  assert.deepEqual([home.projects, home.run, home.socket, home.keys, home.spool, home.project('prj_1')], [
    '/home/u/.loki/projects', '/home/u/.loki/run', '/home/u/.loki/run/loki.sock', '/home/u/.loki/keys', '/home/u/.loki/spool',
    '/home/u/.loki/projects/prj_1.json',
  ]);
});

test('projectLayout() gives the paths of the contract, candidates in order', () => {
  const project = projectLayout('/p q');
  assert.deepEqual(project.configFiles, ['/p q/.loki/config.yaml', '/p q/.loki/config.json']);
  assert.deepEqual(project.policyFiles, ['/p q/.loki/policies.yaml', '/p q/.loki/policies.yml', '/p q/.loki/policies.json']);
  assert.deepEqual([project.agentAudit, project.eventsPending, project.state, project.run('run_1'), project.gitignore], [
    '/p q/.loki/logs/agent-audit.jsonl', '/p q/.loki/events/pending', '/p q/.loki/state', '/p q/.loki/runs/run_1', '/p q/.loki/.gitignore',
  ]);
  assert.deepEqual(organisationFiles, { config: '/etc/loki/config.yaml', policies: '/etc/loki/policies.yaml' });
});

test('chooseConfigFile() takes the one there is, and refuses two', () => {
  assert.equal(chooseConfigFile(['config.yaml', 'policies.yaml']), 'config.yaml');
  assert.equal(chooseConfigFile(['config.json']), 'config.json');
  assert.equal(chooseConfigFile(['policies.yaml']), undefined);
  assert.throws(() => chooseConfigFile(['config.json', 'config.yaml']), {
    code: 'config.invalid', message: 'Cannot choose the configuration file: there are config.yaml and config.json', hint: 'Keep one of the two files',
  });
  assert.throws(() => chooseConfigFile(['config.yml']), { code: 'config.invalid', message: 'Cannot choose the configuration file: config.yml is not read' });
});
