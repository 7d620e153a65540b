import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from '../../cli/args.ts';
import type { CommandContext } from '../../cli/command.ts';
import { confirm, yesFlag } from '../../cli/confirm.ts';
import { createOutput } from '../../cli/output.ts';
import { fakeTerminal, type FakeOptions, type FakeTerminal } from '../support/fake-terminal.ts';

function contextOf(options: FakeOptions, ...argv: string[]): CommandContext & { readonly terminal: FakeTerminal } {
  const terminal = fakeTerminal(options);
  return { terminal, args: parseArgs(argv, { called: 'loki do', flags: [yesFlag], operands: [] }), output: createOutput(terminal, { json: false, quiet: false, plain: true }) };
}

test('only y or yes is a yes; no answer is a no', async () => {
  for (const [answer, agreed] of [['y', true], ['YES', true], [' yes ', true], ['', false], ['n', false], ['yess', false], ['да', false]] as const) {
    assert.equal(await confirm(contextOf({ isTerminal: true, answers: [answer] }), 'Go ahead?', 'do it'), agreed, JSON.stringify(answer));
  }
  const context = contextOf({ isTerminal: true });
  assert.equal(await confirm(context, 'Go ahead?', 'do it'), false);
  assert.equal(context.terminal.printed.err, 'Go ahead? [y/N] Nothing was changed.\n');
});

test('--yes is not asked', async () => {
  const context = contextOf({}, '--yes');
  assert.equal(await confirm(context, 'Go ahead?', 'do it'), true);
  assert.equal(context.terminal.printed.err, '');
});

test('where nobody can be asked it is refused, and says what to add', async () => {
  await assert.rejects(confirm(contextOf({}), 'Go ahead?', 'do it'), {
    code: 'usage', message: 'Cannot do it: it needs a confirmation, and standard input is no terminal', hint: 'Read what it would do, then add --yes',
  });
});

test('Ctrl-C at the question is an interruption, not an answer', async () => {
  const context = contextOf({ isTerminal: true, answers: ['y'] });
  context.terminal.stopping.abort('SIGINT');
  await assert.rejects(confirm(context, 'Go ahead?', 'do it'), { code: 'interrupted' });
});
