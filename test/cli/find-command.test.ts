import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCommand, type Found } from '../../cli/find-command.ts';
import { commandTable, groupTable } from '../../cli/table.ts';

function find(...argv: string[]): Found {
  return findCommand(argv, commandTable, groupTable);
}

function commandOf(found: Found): readonly [string, readonly string[]] {
  return found.kind === 'command' ? [found.row.name, found.rest] : assert.fail(`no command: ${found.kind}`);
}

test('findCommand() finds commands of one, two and three words', () => {
  assert.deepEqual(commandOf(find('status')), ['status', []]);
  assert.deepEqual(commandOf(find('audit', 'verify', '--log', 'x')), ['audit verify', ['--log', 'x']]);
  assert.deepEqual(commandOf(find('enterprise', 'audit', 'tail', '-n', '5')), ['enterprise audit tail', ['-n', '5']]);
});

test('findCommand() lets global flags stand anywhere', () => {
  assert.deepEqual(commandOf(find('--json', 'audit', '--project', 'audit', 'verify')), ['audit verify', ['--json', '--project', 'audit']]);
  assert.deepEqual(commandOf(find('--project=x', '-q', 'status', '--json')), ['status', ['--project=x', '-q', '--json']]);
});

test('findCommand() leaves operands that look like commands to the command', () => {
  assert.deepEqual(commandOf(find('dashboard', 'status')), ['dashboard', ['status']]);
  assert.deepEqual(commandOf(find('start', 'start')), ['start', ['start']]);
});

test('findCommand() takes --version and -V for the command', () => {
  assert.deepEqual(commandOf(find('--version')), ['version', []]);
  assert.deepEqual(commandOf(find('-V', '--json')), ['version', ['--json']]);
});

test('findCommand() answers help in every form', () => {
  const verify = commandTable.find(({ name }) => name === 'audit verify');
  const audit = groupTable.find(({ name }) => name === 'audit');
  assert.deepEqual(find('help', 'audit', 'verify'), { kind: 'help', row: verify });
  assert.deepEqual(find('audit', 'help', 'verify'), { kind: 'help', row: verify });
  assert.deepEqual(find('audit', 'help'), { kind: 'group', group: audit, asked: true });
  assert.deepEqual(find('audit', '--help'), { kind: 'group', group: audit, asked: true });
  assert.deepEqual(find('help', 'audit'), { kind: 'group', group: audit, asked: true });
  assert.deepEqual(find('help'), { kind: 'group', group: undefined, asked: true });
  assert.deepEqual(find('-h'), { kind: 'group', group: undefined, asked: true });
});

test('findCommand() knows a group without its command from help that was asked for', () => {
  assert.deepEqual(find('enterprise', 'audit'), { kind: 'group', group: groupTable.find(({ name }) => name === 'enterprise audit'), asked: false });
  assert.deepEqual(find(), { kind: 'group', group: undefined, asked: false });
});

const refusals: readonly (readonly [readonly string[], string, string])[] = [
  [['statsu'], 'Cannot run "loki statsu": there is no such command (did you mean "loki status"?)', 'See: loki --help'],
  [['audit', 'verfy'], 'Cannot run "loki audit verfy": there is no such command (did you mean "loki audit verify"?)', 'See: loki audit --help'],
  [['verify'], 'Cannot run "loki verify": there is no such command (did you mean "loki audit verify"?)', 'See: loki --help'],
  [['audit', 'export'], 'Cannot run "loki audit export": there is no such command (did you mean "loki enterprise audit export"?)', 'See: loki audit --help'],
  [['runs', 'create'], 'Cannot run "loki runs create": there is no such command', 'See: loki runs --help'],
  [['zzzzzzz'], 'Cannot run "loki zzzzzzz": there is no such command', 'See: loki --help'],
  [['help', 'statsu'], 'Cannot run "loki statsu": there is no such command (did you mean "loki status"?)', 'See: loki --help'],
  [['__proto__'], 'Cannot run "loki __proto__": there is no such command', 'See: loki --help'],
  [['audit', '--log', 'x', 'verify'], 'Cannot run "loki audit": there is no flag "--log"', 'See: loki audit --help'],
  [['--jsn', 'status'], 'Cannot run "loki": there is no flag "--jsn" (did you mean "--json"?)', 'See: loki --help'],
];

for (const [argv, message, hint] of refusals) {
  test(`findCommand() refuses "loki ${argv.join(' ')}"`, () => {
    assert.throws(() => find(...argv), { code: 'usage', message, hint });
  });
}
