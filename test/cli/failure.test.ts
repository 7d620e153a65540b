import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportFailure } from '../../cli/failure.ts';
import { LokiError, errorMeanings, type ErrorCode } from '../../lib/errors.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const policyError = new LokiError('policy.invalid', {
  attempted: 'load ".loki/policies.yaml"', found: '2 mistakes',
  problems: [
    { message: 'unknown key "rul"', file: '.loki/policies.yaml', line: 4, column: 7, excerpt: '      rul: x\n      ^', hint: 'Write rule' },
    { message: 'no action', file: '.loki/policies.yaml', line: 9, column: 1 },
  ],
});

test('a failure is told with every mistake, its place and caret, and a hint', () => {
  const terminal = fakeTerminal();
  assert.equal(reportFailure(policyError, terminal, undefined), 2);
  assert.equal(terminal.printed.out, '');
  assert.equal(terminal.printed.err, [
    'error: Cannot load ".loki/policies.yaml": 2 mistakes',
    '  .loki/policies.yaml:4:7: unknown key "rul"',
    '            rul: x',
    '            ^',
    '  .loki/policies.yaml:9:1: no action',
    'hint: Write rule',
    '',
  ].join('\n'));
});

test('a mistake that the message has told is not told again; its caret and the others are', () => {
  const terminal = fakeTerminal();
  const problems = [
    { message: 'unknown key "prot"', file: 'a.yaml', line: 3, column: 5, excerpt: '    prot: 1\n    ^' },
    { message: 'unknown key "hots"', file: 'a.yaml', line: 4, column: 5 },
  ];
  reportFailure(new LokiError('config.invalid', { attempted: 'use the configuration', found: 'a.yaml:3:5: unknown key "prot" (and 1 more)', hint: 'Correct it', problems }), terminal, undefined);
  assert.equal(terminal.printed.err, [
    'error: Cannot use the configuration: a.yaml:3:5: unknown key "prot" (and 1 more)',
    '          prot: 1',
    '          ^',
    '  a.yaml:4:5: unknown key "hots"',
    'hint: Correct it',
    '',
  ].join('\n'));
});

test('with --json a failure is one object on stderr', () => {
  const terminal = fakeTerminal({ argv: ['policy', 'check', '--json'] });
  reportFailure(new LokiError('run.none', { attempted: 'stop the session', found: 'none runs' }), terminal, undefined);
  assert.deepEqual(JSON.parse(terminal.printed.err), { error: { code: 'run.none', message: 'Cannot stop the session: none runs', hint: 'Start one with: loki start PRD' } });
  assert.equal(terminal.printed.out, '');
});

test('--json after -- is an operand and changes nothing', () => {
  const terminal = fakeTerminal({ argv: ['start', '--', '--json'] });
  reportFailure(new LokiError('run.none', { attempted: 'x', found: 'y' }), terminal, undefined);
  assert.match(terminal.printed.err, /^error: /);
});

test('every code ends with the exit code of its meaning', () => {
  for (const code of Object.keys(errorMeanings) as ErrorCode[]) {
    const exit = reportFailure(new LokiError(code, { attempted: 'x', found: 'y' }), fakeTerminal(), undefined);
    assert.equal(exit, errorMeanings[code].exit, code);
    assert.notEqual(exit, 0, code);
  }
});

test('a system error is told as one of input and output, anything else as a defect', () => {
  const terminal = fakeTerminal();
  assert.equal(reportFailure(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }), terminal, undefined), 1);
  assert.match(terminal.printed.err, /^error: Cannot finish: ENOSPC: no space left\nhint: Check permissions, free space and the disk\n$/);
  const defect = fakeTerminal();
  assert.equal(reportFailure('odd', defect, undefined), 1);
  assert.match(defect.printed.err, /^error: Cannot finish: odd\nhint: This is a defect/);
});

test('to an agent every failure is a verdict that is a no, with an exit code that is one too', () => {
  const codes: readonly (readonly [ErrorCode, number])[] = [['internal', 2], ['usage', 2], ['policy.denied', 3], ['approval.needed', 5], ['audit.unwritable', 2], ['interrupted', 2]];
  for (const [code, exit] of codes) {
    const terminal = fakeTerminal();
    assert.equal(reportFailure(new LokiError(code, { attempted: 'judge', found: 'trouble' }), terminal, 'verdict'), exit, code);
    assert.equal(terminal.printed.out, '{"decision":"DENY","allowed":false,"reason":"Cannot judge: trouble","audit_seq":null}\n');
    assert.match(terminal.printed.err, /^error: Cannot judge: trouble\n/);
  }
});

test('control characters in a message do not reach the terminal', () => {
  const terminal = fakeTerminal();
  reportFailure(new LokiError('usage', { attempted: 'run "\u001b[2J"', found: 'x\ny' }), terminal, undefined);
  assert.match(terminal.printed.err, /run "\\u001b\[2J": x\\u000ay\n/);
});
