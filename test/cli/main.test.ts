import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../cli/command.ts';
import { main } from '../../cli/main.ts';
import type { CommandRow, GroupRow } from '../../cli/table.ts';
import { LokiError } from '../../lib/errors.ts';
import { fakeTerminal, type FakeTerminal } from '../support/fake-terminal.ts';

const plain: Command = { about: 'Does it.', operands: [], flags: [], examples: [['loki do', '']], exits: [], run: () => Promise.resolve(0) };

function row(name: string, command: Partial<Command>, more: Partial<CommandRow> = {}): CommandRow {
  return { name, summary: 'Do it', load: () => Promise.resolve({ command: { ...plain, ...command } }), ...more };
}

const groups: readonly GroupRow[] = [{ name: 'hook', summary: 'Answer' }];

async function play(rows: readonly CommandRow[], ...argv: string[]): Promise<{ code: number; terminal: FakeTerminal }> {
  const terminal = fakeTerminal({ argv });
  return { code: await main(terminal, rows, groups), terminal };
}

test('main() answers with the exit code of the command', async () => {
  const { code, terminal } = await play([row('do', { run: () => Promise.resolve(7) })], 'do');
  assert.equal(code, 7);
  assert.deepEqual(terminal.printed, { out: '', err: '' });
});

test('main() loads the one command it runs and no other', async () => {
  const other = row('other', {}, { load: () => Promise.reject(new Error('loaded')) });
  assert.equal((await play([row('do', {}), other], 'do')).code, 0);
  assert.equal((await play([row('do', {}), other], '--help')).code, 0);
});

test('main() gives a command its arguments and shows its help instead of running it', async () => {
  const rows = [row('do', { flags: [{ name: 'twice', kind: 'switch', summary: 'Twice' }], run: ({ args }) => Promise.resolve(args.on('twice') ? 1 : 3) })];
  assert.equal((await play(rows, 'do', '--twice')).code, 1);
  const { code, terminal } = await play(rows, 'do', '--twice', '--help');
  assert.equal(code, 0);
  assert.match(terminal.printed.out, /^Do it\.\n\nUsage: loki do \[FLAGS\]\n/);
});

test('main() turns what a command throws into words and the exit code of its meaning', async () => {
  const fails = row('do', { run: () => Promise.reject(new LokiError('audit.tampered', { attempted: 'verify', found: 'an edit' })) });
  const { code, terminal } = await play([fails], 'do');
  assert.equal(code, 6);
  assert.match(terminal.printed.err, /^error: Cannot verify: an edit\nhint: /);
});

const brokenHooks: readonly (readonly [string, CommandRow])[] = [
  ['that throws', row('hook generic', { run: () => Promise.reject(new TypeError('oops')) }, { answersAgent: 'verdict' })],
  ['that throws at once', row('hook generic', { run: () => { throw new RangeError('oops'); } }, { answersAgent: 'verdict' })],
  ['that cannot be loaded', row('hook generic', {}, { answersAgent: 'verdict', load: () => Promise.reject(new SyntaxError('oops')) })],
];

for (const [what, hook] of brokenHooks) {
  test(`a hook ${what} is a verdict that is a no`, async () => {
    const { code, terminal } = await play([hook], 'hook', 'generic');
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(terminal.printed.out), { decision: 'DENY', allowed: false, reason: 'Cannot finish: oops', audit_seq: null });
  });
}

test('a hook for an agent that is not known is a no that every agent understands', async () => {
  const { code, terminal } = await play([row('hook generic', {}, { answersAgent: 'verdict' })], 'hook', 'genric');
  assert.equal(code, 2);
  assert.equal(terminal.printed.out, '');
  assert.match(terminal.printed.err, /^error: Cannot run "loki hook genric": there is no such command \(did you mean "loki hook generic"\?\)/);
});

for (const [what, hook] of [
  ['that throws', row('hook claude', { run: () => Promise.reject(new TypeError('oops')) }, { answersAgent: 'code' })],
  ['that cannot be loaded', row('hook claude', {}, { answersAgent: 'code', load: () => Promise.reject(new SyntaxError('oops')) })],
] as const) {
  test(`a real agent's hook ${what} says so on stderr alone, with the code for no`, async () => {
    const { code, terminal } = await play([hook], 'hook', 'claude');
    assert.deepEqual([code, terminal.printed.out], [2, '']);
    assert.match(terminal.printed.err, /^error: Cannot finish: oops\n/);
  });
}

test('an exception that nobody caught is a verdict that is a no', async () => {
  const terminal = fakeTerminal({ argv: ['hook', 'generic'] });
  let crash: ((error: unknown) => void) | undefined;
  let ended: number | undefined;
  const watched = { ...terminal, onCrash: (handle: (error: unknown) => void) => { crash = handle; }, finish: (code: number) => { ended = code; return new Promise<never>(() => undefined); } };
  await main(watched, [row('hook generic', {}, { answersAgent: 'verdict' })], groups);
  crash?.(new Error('late'));
  assert.equal(ended, 2);
  assert.match(terminal.printed.out, /^\{"decision":"DENY","allowed":false,"reason":"Cannot finish: late"/);
});
