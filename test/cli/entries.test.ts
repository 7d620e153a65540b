import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryLine, memberWords } from '../../cli/entries.ts';
import { createOutput } from '../../cli/output.ts';
import type { LoggedEntry } from '../../lib/audit/query.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const look = createOutput(fakeTerminal(), { json: false, quiet: false, plain: false }).out;

const entry: LoggedEntry = {
  seq: 41, timestamp: '2026-02-15T14:30:00.000Z', event: 'policy.deny', level: 'warning', actor: 'agent:claude', resource: 'session:ses_1',
  details: { action: { kind: 'exec', command: 'rm -rf /' }, decision: 'DENY', rule: 'no-rm', violations: [{}], approval_id: null },
};

test('an entry is a line with its number, time, level, event, actor, resource and plain details', () => {
  assert.equal(entryLine(entry, look), '    41  2026-02-15T14:30:00.000Z  warning  policy.deny             agent:claude  session:ses_1  action="exec rm -rf /" decision=DENY rule=no-rm');
});

test('an entry without resource and details is a line too', () => {
  const { resource: _resource, details: _details, ...bare } = entry;
  assert.equal(entryLine(bare, look), '    41  2026-02-15T14:30:00.000Z  warning  policy.deny             agent:claude');
  assert.equal(entryLine({ ...bare, details: 'odd' }, look), '    41  2026-02-15T14:30:00.000Z  warning  policy.deny             agent:claude');
});

test('what is closed is named, and not poured out', () => {
  const envelope = { $enc: 1, kid: 's00', n: 'AAAA', c: 'BBBB' };
  const { resource: _resource, ...bare } = entry;
  assert.ok(entryLine({ ...bare, actor: 'sealed:s00', details: envelope }, look).endsWith('  (encrypted)  (encrypted)'));
  assert.ok(entryLine({ ...bare, details: { owner: envelope, status: 'done' } }, look).endsWith('  owner=(encrypted) status=done'));
});

test('a recorded escape sequence does not reach the terminal, and long details are cut', () => {
  const line = entryLine({ ...entry, actor: 'agent:\u001b[2J', details: { ['\u202ename']: '\u001b]0;title\u0007', long: 'x'.repeat(70_000) } }, look);
  assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(line));
  assert.ok(line.length < 300);
  assert.ok(line.endsWith('…'));
});

test('words that a shell would split are quoted', () => {
  assert.equal(memberWords({ a: 'plain/path.txt', b: 'two words', c: 'quo"te', d: 1, e: true }), 'a=plain/path.txt b="two words" c="quo\\"te" d=1 e=true');
});
