/** Questions at a real terminal: a stream that was paused, half-typed lines and signals look different everywhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeArguments } from '../support/child.ts';
import { hasPty, runInPty, type Typed } from '../support/pty.ts';

function answers(args: readonly string[], typing: readonly Typed[]): Promise<{ readonly exit: number | null; readonly screen: string }> {
  return runInPty(nodeArguments('test/support/ask-at-terminal', args), typing);
}

test('one question after the other is answered at a terminal', async (t) => {
  if (!hasPty(t)) return;
  const { exit, screen } = await answers([], [{ after: 'First? ', keys: 'yes\n' }, { after: 'Second? ', keys: 'no\n' }]);
  assert.match(screen, /\{"first":"yes","second":"no"\}/);
  assert.equal(exit, 0);
});

test('what was typed ahead answers the next question', async (t) => {
  if (!hasPty(t)) return;
  const { screen } = await answers([], [{ after: 'First? ', keys: 'yes\nno\n' }]);
  assert.match(screen, /\{"first":"yes","second":"no"\}/);
});

test('a withdrawn question ends its line, and what was typed for it does not begin the next answer', async (t) => {
  if (!hasPty(t)) return;
  const { screen } = await answers(['withdraw'], [{ after: 'First? ', keys: 'half\x1b[A' }, { after: 'Second? ', keys: 'no\n' }]);
  assert.match(screen, /\{"first":null,"second":"no"\}/);
  assert.match(screen, /First\? [^\n]*\n[^]*Second\? /);
});

test('a whole line that comes after the withdrawal does not answer the next question', async (t) => {
  if (!hasPty(t)) return;
  const { screen } = await answers(['withdraw'], [{ after: 'First? ', waitMs: 750, keys: 'y\n' }, { after: 'Second? ', keys: 'no\n' }]);
  assert.match(screen, /\{"first":null,"second":"no"\}/);
});

test('Ctrl-C and Ctrl-D leave a question unanswered, on a line of its own', async (t) => {
  if (!hasPty(t)) return;
  for (const keys of ['\x03', '\x04']) {
    const { screen } = await answers([], [{ after: 'First? ', keys }]);
    assert.match(screen, /First\? [^\n]*\r\n[^]*\{"first":null,"second":null\}/, JSON.stringify(screen));
  }
});
