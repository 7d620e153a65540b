/** Simulation over a real log: what hooks recorded, judged again from what stands in it and from nothing else. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { openGate } from '../../lib/app/gate.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { loadLayers, loadNamedPolicy, readLayers } from '../../lib/app/policy.ts';
import { simulate, type SimulationRequest, type Simulated } from '../../lib/app/simulate.ts';
import type { Action } from '../../lib/base/action.ts';
import { makeGround } from '../support/ground.ts';

const rules = (...list: readonly string[]): string => `version: 1\npolicies:\n  pre_execution:\n${list.map((rule) => `    - ${rule}\n`).join('')}`;
const boundary = '{ name: boundary, rule: "file_path must start with project_dir", action: deny }';
const tool = `{ name: never, when: 'tool exists and tool == "Never"', action: deny }`;

async function act(installation: Installation, ...actions: readonly Action[]): Promise<void> {
  const gate = openGate(installation, { agent: 'test', waitMs: 0 });
  for (const action of actions) await gate.decide(action);
  await gate.close();
}

function judgedAgain(installation: Installation, candidate: string, more: Partial<SimulationRequest> = {}, signal: AbortSignal = new AbortController().signal): Promise<Simulated> {
  const request = { inForce: loadLayers(readLayers(installation)), candidate: loadNamedPolicy(installation, candidate, 'use it'), recorded: false, ...more };
  return simulate(installation, request, { signal, progress: () => undefined, onUnreadable: (_file, error) => { throw error; } });
}

test('today\'s links do not move yesterday\'s paths', async (t) => {
  const { write, installation, project, root } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  const draft = write('draft.yaml', rules(boundary));
  mkdirSync(join(project, 'out'));
  await act(installation(), { kind: 'fs.write', file_path: 'out/a' });
  rmSync(join(project, 'out'), { recursive: true });
  mkdirSync(join(root, 'elsewhere'));
  symlinkSync(join(root, 'elsewhere'), join(project, 'out'));
  const found = await judgedAgain(installation(), draft);
  assert.deepEqual([found.decisions, found.unchanged, found.flips], [1, 1, []]);
});

test('the branch, the phase and the provider of that day count', async (t) => {
  const { write, installation } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  write('project/.git/HEAD', 'ref: refs/heads/main\n');
  await act(installation({ LOKI_PHASE: 'deploy', LOKI_PROVIDER: 'codex' }), { kind: 'exec', command: 'ls' });
  write('project/.git/HEAD', 'ref: refs/heads/other\n');
  const draft = write('draft.yaml', rules(`{ name: then, when: 'branch == "main" and phase == "deploy" and provider == "codex"', action: deny }`));
  assert.deepEqual((await judgedAgain(installation(), draft)).flips.map(({ rule, to, actions }) => [rule, to, actions]), [['then', 'DENY', 1]]);
});

test('only this project\'s actions are judged, the newest first and no more than wanted', async (t) => {
  const { write, installation, root } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  write('other/.loki/policies.yaml', rules(tool));
  await act(installation(), { kind: 'exec', command: 'rm one' }, { kind: 'exec', command: 'ls' });
  await act(installation({}, join(root, 'other')), { kind: 'exec', command: 'rm two' });
  const draft = write('draft.yaml', rules(`{ name: no-rm, when: 'command matches "rm *"', action: deny }`));
  const found = await judgedAgain(installation(), draft);
  assert.deepEqual([found.decisions, found.tightened, found.flips[0]?.examples.map(({ action }) => action)], [2, 1, ['rm one']]);
  assert.deepEqual((await judgedAgain(installation(), draft, { limit: 1 })).tightened, 0);
});

test('an encrypted log is judged again with its key, and without it what is closed is told', async (t) => {
  const { write, installation } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  const key = { LOKI_AUDIT_KEY: 'ab'.repeat(32) };
  await act(installation(key), { kind: 'exec', command: 'rm one' });
  const draft = write('draft.yaml', rules(`{ name: no-rm, when: 'command matches "rm *"', action: deny }`));
  assert.equal((await judgedAgain(installation(key), draft)).tightened, 1);
  const closed = await judgedAgain(installation(), draft);
  assert.deepEqual([closed.tightened, closed.not_rejudged.map(({ reason }) => reason)], [0, ['it is encrypted, and its key is not here']]);
});

test('decisions by another policy than the one in force are counted', async (t) => {
  const { write, installation } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  await act(installation(), { kind: 'exec', command: 'ls' });
  write('project/.loki/policies.yaml', rules(tool, boundary));
  const draft = write('draft.yaml', rules(tool));
  assert.deepEqual((await judgedAgain(installation(), draft)).judged_by_other_policy, 1);
});

test('an interruption ends it', async (t) => {
  const { write, installation } = makeGround(t);
  write('project/.loki/policies.yaml', rules(tool));
  const many = Array.from({ length: 220 }, (): Action => ({ kind: 'exec', command: 'ls' }));
  await act(installation(), ...many);
  const ended = new AbortController();
  ended.abort();
  await assert.rejects(judgedAgain(installation(), write('draft.yaml', rules(boundary)), {}, ended.signal), (error) => error instanceof LokiError && error.code === 'interrupted');
});

test('a policy that is no UTF-8 is refused', (t) => {
  const { installation, root } = makeGround(t);
  writeFileSync(join(root, 'bad.yaml'), Buffer.from([0x76, 0xff]));
  assert.throws(() => loadNamedPolicy(installation(), join(root, 'bad.yaml'), 'use "bad.yaml"'), (error) => error instanceof LokiError && error.code === 'policy.invalid' && error.message === 'Cannot use "bad.yaml": it is not UTF-8');
});
