import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import type { AgentEntry } from '../../lib/audit/agent-chain.ts';
import { agentEntriesOf, mayCommit, type MadeCommit } from '../../lib/gate/outcome.ts';
import { linear } from '../support/growth.ts';

const place = { agent: 'claude', branch: 'main', projectDir: '/home/alice/p', redact: (text: string): string => text.replaceAll('hunter2', '[redacted]') };

function entriesOf(action: Action, commits: readonly MadeCommit[] = []): readonly AgentEntry[] {
  return agentEntriesOf({ action, ok: true }, { ok: true }, place, commits);
}

function nameOf(action: Action): string | undefined {
  return entriesOf(action)[0]?.action;
}

const made: MadeCommit = { id: 'a'.repeat(40), message: 'Add authentication module', filesChanged: 3, insertions: 150, deletions: 20 };

test('each kind of action has its name in the agent chain, or none', () => {
  assert.equal(nameOf({ kind: 'fs.write', file_path: 'a' }), 'file_write');
  assert.equal(nameOf({ kind: 'fs.delete', file_path: 'a' }), 'file_delete');
  assert.equal(nameOf({ kind: 'exec', command: 'ls' }), 'cli_invoke');
  for (const kind of ['fs.read', 'net', 'mcp', 'agent', 'prompt', 'other'] as const) assert.equal(nameOf({ kind }), undefined, kind);
});

test('a command that may commit is told apart from others, however it is written', () => {
  const committing = [
    'git commit -m x', 'cd a && git commit', 'git -C dir commit', 'git -c user.name=x -c a=b commit -m y', 'true; git commit', '/usr/bin/git commit', 'sh -c "git commit -m x"',
    'git merge other', 'git cherry-pick abc', 'GIT_AUTHOR_NAME=x git commit',
  ];
  for (const command of committing) assert.equal(mayCommit({ kind: 'exec', command }), true, command);
  for (const command of ['git log', 'echo git commit', 'git commit-tree', 'legit commit', 'git', 'ls']) assert.equal(mayCommit({ kind: 'exec', command }), false, command);
  assert.equal(mayCommit({ kind: 'fs.write', file_path: 'git commit' }), false);
});

test('a command that may commit and did not is a cli_invoke', () => {
  assert.equal(nameOf({ kind: 'exec', command: 'git commit -m x' }), 'cli_invoke');
});

test('each commit that was made is a git_commit with the members of the example, its message without secrets', () => {
  const second = { ...made, id: 'b'.repeat(40), message: 'password hunter2' };
  const entries = entriesOf({ kind: 'exec', command: 'git commit -m x' }, [made, second]);
  assert.deepEqual(entries.map(({ action }) => action), ['git_commit', 'git_commit']);
  assert.deepEqual(entries[0]?.details, { message: 'Add authentication module', files_changed: 3, insertions: 150, deletions: 20, commit: made.id, command: 'git commit -m x', ok: true });
  assert.equal(entries[1]?.details['message'], 'password [redacted]');
});

test('files that a command writes and deletes are named, from the project where they lie in it', () => {
  const [entry] = entriesOf({ kind: 'exec', command: 'rm -f old.txt /etc/x && echo hi > new.txt' });
  assert.deepEqual(entry?.details['files'], { written: ['new.txt'], deleted: ['old.txt', '/etc/x'] });
  assert.equal(entriesOf({ kind: 'exec', command: 'ls' })[0]?.details['files'], undefined);
  const many = entriesOf({ kind: 'exec', command: `rm ${Array.from({ length: 25 }, (_, at) => `f${at}`).join(' ')}` })[0]?.details['files'];
  assert.deepEqual(many, { deleted: Array.from({ length: 20 }, (_, at) => `f${at}`), more: 5 });
});

test('texts are redacted and cut, the result is told, what is not there is left out', () => {
  const command = `curl -u a:hunter2 ${'x'.repeat(5000)}`;
  const [entry] = agentEntriesOf({ action: { kind: 'exec', command }, ok: false, exit: 7 }, { ok: false, exit: 7 }, { ...place, branch: null }, []);
  assert.deepEqual(Object.keys(entry?.details ?? {}), ['command', 'ok', 'exit']);
  assert.equal(entry?.branch, null);
  assert.match(String(entry?.details['command']), /^curl -u a:\[redacted\] x+$/);
  assert.equal(String(entry?.details['command']).length, 2000);
});

test('a secret at the place where a text is cut leaves no half of itself', () => {
  const [entry] = entriesOf({ kind: 'exec', command: `${'x'.repeat(1996)}hunter2` });
  assert.equal(entry?.details['command'], `${'x'.repeat(1996)}[red`);
});

test('a long command of pieces that nearly fit costs no more than its length', () => {
  for (const piece of ['-c x ', ';', '-']) linear((size) => { mayCommit({ kind: 'exec', command: `git ${piece.repeat(size)}` }); }, 200_000);
});
