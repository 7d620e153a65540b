import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns, createOutput, printable } from '../../cli/output.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const usual = { json: false, quiet: false, plain: false };

test('printable() shows what a terminal would act on', () => {
  assert.equal(printable('\u001b[2Jgone\r\u0007\u009b31m\u202etxt\u200b'), '\\u001b[2Jgone\\u000d\\u0007\\u009b31m\\u202etxt\\u200b');
  assert.equal(printable('line\none\ttab é 漢字 \u{1f600}'), 'line\\u000aone  tab é 漢字 \u{1f600}');
});

test('colours are used where a person looks, and nowhere else', () => {
  const cases: readonly (readonly [boolean, Record<string, string>, boolean, boolean])[] = [
    [true, {}, false, true], [false, {}, false, false], [true, { NO_COLOR: '1' }, false, false],
    [true, { NO_COLOR: '' }, false, true], [true, { TERM: 'dumb' }, false, false], [true, {}, true, false],
  ];
  for (const [isTerminal, env, plain, coloured] of cases) {
    const output = createOutput(fakeTerminal({ isTerminal, env }), { ...usual, plain });
    assert.equal(output.out.paint('red', 'x'), coloured ? '\u001b[31mx\u001b[0m' : 'x');
  }
});

test('results go to stdout, messages to stderr, and --quiet leaves warnings', () => {
  const terminal = fakeTerminal();
  const output = createOutput(terminal, { ...usual, quiet: true });
  output.line('result');
  output.note('message');
  output.warn('careful');
  assert.deepEqual(terminal.printed, { out: 'result\n', err: 'warning: careful\n' });
});

test('a JSON result is one line for a program and spread for a person', () => {
  const program = fakeTerminal();
  createOutput(program, usual).value({ a: [1] });
  assert.equal(program.printed.out, '{"a":[1]}\n');
  const person = fakeTerminal({ isTerminal: true });
  createOutput(person, usual).value({ a: 1 });
  assert.equal(person.printed.out, '{\n  "a": 1\n}\n');
});

test('columns() lines cells up, trims the ends, and cuts to a width', () => {
  assert.deepEqual(columns([['a', 'bb', 'c'], ['aaa', 'b', '']]), ['a    bb  c', 'aaa  b']);
  assert.deepEqual(columns([['key', 'a long value']], 10), ['key  a lo…']);
  assert.deepEqual(columns([]), []);
});
