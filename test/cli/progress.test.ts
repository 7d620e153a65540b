import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress, progressLine } from '../../cli/progress.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

test('progress is drawn on terminals only, at most ten times a second, and taken away at the end', () => {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const terminal = fakeTerminal({ isTerminal: true });
  const progress = createProgress(terminal.stderr, 'verifying', clock, false);
  for (now = 0; now < 250; now += 10) progress.update(now, 250);
  progress.end();
  assert.equal(terminal.printed.err.split('\r').length - 1, 4);
  assert.ok(terminal.printed.err.endsWith('\r\u001b[K'));

  for (const [isTerminal, quiet] of [[false, false], [true, true]] as const) {
    const silent = fakeTerminal({ isTerminal });
    const none = createProgress(silent.stderr, 'verifying', clock, quiet);
    none.update(1, 2);
    none.end();
    assert.equal(silent.printed.err, '');
  }
});

test('a line of progress stays within its bounds whatever the numbers are', () => {
  assert.equal(progressLine('x', 1, 2), `x [${'#'.repeat(12)}${' '.repeat(12)}] 50%`);
  assert.equal(progressLine('x', 5, 2), `x [${'#'.repeat(24)}] 100%`);
  assert.equal(progressLine('x', -1, 2), `x [${' '.repeat(24)}] 0%`);
  assert.equal(progressLine('x', 7, 0), 'x 7');
});
