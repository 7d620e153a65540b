/** The sample project, worked on by the scripted agent and by the command agent, with real files, git, gates and processes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRun } from '../../lib/runs/runner.ts';
import { progressOf } from '../../lib/runs/progress.ts';
import type { GateSpec } from '../../lib/runs/gates.ts';
import { fixture } from '../support/root.ts';
import { realRun } from '../support/real-run.ts';

const gates: readonly GateSpec[] = [
  { name: 'syntax', command: 'for file in src/*.js test/*.js; do node --check "$file" || exit 1; done', timeout_ms: 60_000 },
  { name: 'unit-tests', command: 'node --test', timeout_ms: 60_000 },
];

test('the scripted agent needs two rounds, and what it may not do does not happen', async (t) => {
  const run = realRun(t, { settings: { gates, council: { reviewers: ['requirements', 'security'], required: 2 }, branch_protection: true } });
  const outcome = await startRun(run.deps, run.order);
  assert.equal(outcome.reason, 'every gate passed and the council approved');
  const progress = progressOf(outcome.run);
  assert.equal(progress.iteration, 2);
  assert.deepEqual(progress.gates, [{ name: 'syntax', passed: true }, { name: 'unit-tests', passed: true }]);

  const events = await run.bench.events(outcome.run.id);
  const failed = events.filter(({ event_type, details }) => event_type === 'quality_gate' && details['passed'] === false);
  assert.deepEqual(failed.map(({ details }) => details['name']), ['unit-tests']);
  const actions = events.filter(({ event_type }) => event_type === 'agent_action').map(({ details }) => `${details['decision']} ${details['target']}`);
  for (const refused of ['DENY ../tally-notes.txt', 'DENY src/bank.js', 'DENY .loki/policies.yaml', 'DENY git push --force origin main', 'REQUIRE_APPROVAL package.json']) assert.ok(actions.includes(refused), refused);
  assert.ok(!existsSync(join(run.dir, 'tally-notes.txt')));
  assert.ok(!existsSync(join(run.projectDir, 'src', 'bank.js')));
  for (const untouched of ['package.json', '.loki/policies.yaml']) assert.equal(readFileSync(join(run.projectDir, untouched), 'utf8'), readFileSync(fixture('sample', 'project', untouched), 'utf8'));

  assert.match(run.git('branch', '--show-current'), /^loki\/session-\d{8}-\d{6}-\d+\n$/);
  assert.equal(run.git('rev-list', '--count', 'main..HEAD').trim(), '2');
  assert.equal(run.git('status', '--porcelain'), '');
  assert.ok(events.some(({ details }) => /^No coding agent is at work/.test(String(details['message']))));
  assert.ok(events.some(({ details }) => /travel 222.50\noffice 20.35\nmeals 12.00\ntotal 254.85/.test(String(details['text']))), 'the program does what the document asks');
});

test('each allowed action of an agent is asked before and told after, and no secret reaches it', async (t) => {
  const run = realRun(t, { argv: [process.execPath, fixture('sample', 'agent', 'command-agent.mjs')], settings: { council: { reviewers: ['requirements'], required: 1 } } });
  const outcome = await startRun(run.deps, run.order);
  assert.equal(outcome.status, 'completed', outcome.reason);
  assert.equal(readFileSync(join(run.projectDir, 'NOTES.md'), 'utf8').split('\n').length, 2);
  const told = readFileSync(join(run.home, 'stub-gate.jsonl'), 'utf8').trim().split('\n').map((line): unknown => JSON.parse(line));
  assert.deepEqual(told.map((action) => [Reflect.get(Object(action), 'phase'), Reflect.get(Object(action), 'kind'), Reflect.get(Object(action), 'session_id') === outcome.session_id]), [['pre', 'fs.write', true], ['post', 'fs.write', true]]);
  assert.equal(Reflect.get(Object(told[1]), 'ref'), 1);
  const environment = Reflect.get(Object(told[0]), 'env');
  // Node itself hands NODE_V8_COVERAGE down while coverage is measured.
  assert.deepEqual(environment.filter((name: string) => name !== 'NODE_V8_COVERAGE'), ['HOME', 'LC_ALL', 'LOKI_HOME', 'LOKI_HOOK', 'LOKI_ITERATION', 'LOKI_PHASE', 'LOKI_PROJECT_DIR', 'LOKI_ROLE', 'LOKI_RUN_ID', 'LOKI_SESSION_ID', 'PATH']);
  assert.ok(progressOf(outcome.run).input_tokens > 1000);
  assert.equal(progressOf(outcome.run).unmetered_calls, 0);
});
