import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLines } from '../../cli/narration.ts';
import { createOutput } from '../../cli/output.ts';
import type { RunEvent, RunEventType } from '../../lib/runs/run.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const look = createOutput(fakeTerminal(), { json: false, quiet: false, plain: false }).out;

function told(event_type: RunEventType, details: JsonObject): readonly string[] {
  const event: RunEvent = { id: 'evt_1', seq: 1, event_type, phase: 'ACT', details, timestamp: '2026-02-15T14:30:05.000Z' };
  return eventLines(event, look);
}

test('each kind of event is told in a line with its time', () => {
  assert.deepEqual(told('phase_change', { move: 'done', from: 'REASON', to: 'ACT', iteration: 2 }), ['14:30:05  ACT (round 2)']);
  assert.deepEqual(told('policy_decision', { decision: 'DENY', action: 'fs.write /etc/passwd', reason: 'outside', rule: 'boundary' }), ['14:30:05  DENIED  fs.write /etc/passwd', '14:30:05          outside [boundary]']);
  assert.deepEqual(told('policy_decision', { decision: 'ALLOW', point: 'data', subject: 'the changes', reason: 'fine' }), ['14:30:05  allowed  the changes']);
  assert.deepEqual(told('quality_gate', { name: 'tests', passed: false, outcome: 'failed' }), ['14:30:05  failed  gate tests: failed']);
  assert.deepEqual(told('council', { reviewer: 'quality', approved: true, reason: 'good' }), ['14:30:05  passed  reviewer quality: good']);
  assert.deepEqual(told('approval', { approval_id: 'apr_1', status: 'pending', action: 'exec ls', reason: 'ask' }), ['14:30:05  waits for approval  apr_1  exec ls: ask']);
  assert.deepEqual(told('approval', { approval_id: 'apr_1', status: 'pending', action: 'resource: over budget', reason: 'over budget' }), ['14:30:05  waits for approval  apr_1  resource: over budget']);
  assert.deepEqual(told('approval', { approval_id: 'apr_1', status: 'approved', action: 'exec ls', reason: 'ask' }), ['14:30:05  approved  apr_1  exec ls']);
  assert.deepEqual(told('approval', { approval_id: 'apr_1', status: 'used', action: 'exec ls', reason: 'ask' }), []);
  assert.deepEqual(told('error', { message: 'it broke' }), ['14:30:05  error  it broke']);
  assert.deepEqual(told('log', { level: 'info', message: 'working' }), ['14:30:05    working']);
});

test('an action is told once, by its decision, unless it did not work', () => {
  assert.deepEqual(told('agent_action', { kind: 'exec', target: 'ls', decision: 'ALLOW', ok: true }), []);
  assert.deepEqual(told('agent_action', { kind: 'exec', target: 'ls', decision: 'DENY', ok: null }), []);
  assert.deepEqual(told('agent_action', { kind: 'exec', target: 'ls', decision: 'ALLOW', ok: false }), ['14:30:05  did not work  exec ls']);
});

test('what an agent wrote cannot move the cursor, forge a line or fill the screen', () => {
  const [line = '', ...more] = told('log', { level: 'info', message: `\u001b[2J\n14:30:05  completed${'x'.repeat(10_000)}` });
  assert.equal(more.length, 0);
  assert.ok(!/[\u0000-\u001f\u007f-\u009f]/.test(line));
  assert.ok(line.length < 400);
});

test('details of the wrong type are left out', () => {
  assert.deepEqual(told('policy_decision', { decision: 1, action: null, reason: ['x'] }), ['14:30:05    ']);
});
