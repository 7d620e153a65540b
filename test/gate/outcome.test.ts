import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { agentEntryOf } from '../../lib/gate/outcome.ts';

const same = (text: string): string => text;

function actionNameOf(action: Action): string | undefined {
  return agentEntryOf({ action, ok: true }, { ok: true }, 'claude', 'main', same)?.action;
}

test('each kind of action has its name in the agent chain, or none', () => {
  assert.equal(actionNameOf({ kind: 'fs.write', file_path: 'a' }), 'file_write');
  assert.equal(actionNameOf({ kind: 'fs.delete', file_path: 'a' }), 'file_delete');
  assert.equal(actionNameOf({ kind: 'exec', command: 'ls' }), 'cli_invoke');
  for (const kind of ['fs.read', 'net', 'mcp', 'agent', 'prompt', 'other'] as const) assert.equal(actionNameOf({ kind }), undefined, kind);
});

test('a commit is told apart from other commands, options before its verb included', () => {
  for (const command of ['git commit -m x', 'cd a && git commit', 'git -C dir commit', 'git -c user.name=x -c a=b commit -m y', 'true; git commit']) {
    assert.equal(actionNameOf({ kind: 'exec', command }), 'git_commit', command);
  }
  for (const command of ['git log', 'echo git commit', 'git commit-tree', 'legit commit', 'git']) {
    assert.equal(actionNameOf({ kind: 'exec', command }), 'cli_invoke', command);
  }
});

test('texts are redacted and cut, the result is told, what is not there is left out', () => {
  const redact = (text: string): string => text.replaceAll('hunter2', '[redacted]');
  const command = `curl -u a:hunter2 ${'x'.repeat(5000)}`;
  const entry = agentEntryOf({ action: { kind: 'exec', command }, ok: false, exit: 7 }, { ok: false, exit: 7 }, 'claude', null, redact);
  assert.deepEqual(Object.keys(entry?.details ?? {}), ['command', 'ok', 'exit']);
  assert.equal(entry?.branch, null);
  assert.match(String(entry?.details['command']), /^curl -u a:\[redacted\] x+$/);
  assert.equal(String(entry?.details['command']).length, 2000);
});

test('a secret at the place where a text is cut leaves no half of itself', () => {
  const redact = (text: string): string => text.replaceAll('hunter2', '[redacted]');
  const entry = agentEntryOf({ action: { kind: 'exec', command: `${'x'.repeat(1996)}hunter2` }, ok: true }, { ok: true }, 'claude', null, redact);
  assert.equal(entry?.details['command'], `${'x'.repeat(1996)}[red`);
});

test('a long command of pieces that nearly fit costs no more than a short one', () => {
  const started = performance.now();
  actionNameOf({ kind: 'exec', command: `git ${'-c x '.repeat(200_000)}` });
  actionNameOf({ kind: 'exec', command: ';'.repeat(1_000_000) });
  actionNameOf({ kind: 'exec', command: `git ${'-'.repeat(1_000_000)}` });
  assert.ok(performance.now() - started < 500);
});
