/** Ways an agent may try to keep its decisions from those who watch its session, or its project from its policy. */
import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { performInit, planInit } from '../../lib/app/enrol.ts';
import { openGate } from '../../lib/app/gate.ts';
import { makeGround } from '../support/ground.ts';

const list: Action = { kind: 'exec', command: 'ls' };

test('an action that names another session, or none, is recorded in the session its gate was opened in', async (t) => {
  const { installation, entries } = makeGround(t);
  const gate = openGate(installation(), { agent: 'test', sessionId: 'ses_ours', waitMs: 0 });
  await gate.decide({ ...list, session_id: 'ses_other' });
  await gate.decide(list);
  await gate.report({ action: { ...list, session_id: 'ses_other' }, ok: true });
  await gate.close();
  assert.deepEqual(entries().slice(1).map(({ resource }) => resource), ['session:ses_ours', 'session:ses_ours', 'session:ses_ours']);
});

test('a .loki that has become a symbolic link denies in an enrolled project', async (t) => {
  const { installation, project, write, entries } = makeGround(t);
  write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  const here = installation();
  assert.ok(here.project !== undefined);
  await performInit(here, planInit(here, here.project, false), 'user:test');
  renameSync(join(project, '.loki'), join(project, 'elsewhere'));
  symlinkSync('elsewhere', join(project, '.loki'));
  const gate = openGate(here, { agent: 'test', waitMs: 0 });
  const denied = await gate.decide(list);
  const recorded = JSON.stringify(entries().at(-1)?.['details']);
  rmSync(join(project, '.loki'));
  renameSync(join(project, 'elsewhere'), join(project, '.loki'));
  const allowed = await gate.decide(list);
  await gate.close();
  assert.equal(denied.decision, 'DENY');
  assert.match(denied.reason, /\.loki is a symbolic link/);
  assert.match(recorded, /^\{"action":\{"command":"ls",/, 'what was tried is recorded');
  assert.equal(allowed.decision, 'ALLOW');
});
