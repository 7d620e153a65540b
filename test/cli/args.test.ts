import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs, type Args, type Grammar } from '../../cli/args.ts';
import { LokiError } from '../../lib/errors.ts';

const grammar: Grammar = {
  called: 'loki audit tail',
  flags: [
    { name: 'lines', short: 'n', kind: 'integer', value: 'N', summary: '', least: 1, most: 1000 },
    { name: 'follow', short: 'f', kind: 'switch', summary: '' },
    { name: 'event', kind: 'text', value: 'NAME', summary: '', repeated: true },
    { name: 'level', kind: 'text', summary: '', choices: ['info', 'error'] },
    { name: 'period', kind: 'duration', summary: '' },
  ],
  operands: [{ name: 'FILE', summary: '', required: true }, { name: 'MODE', summary: '', choices: ['full', 'quick'] }],
};

function parse(...argv: string[]): Args {
  return parseArgs(argv, grammar);
}

function refusal(...argv: string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    assert.ok(error instanceof LokiError);
    assert.equal(error.code, 'usage');
    assert.equal(error.hint, 'See: loki audit tail --help');
    assert.ok(error.message.startsWith('Cannot run "loki audit tail": '));
    return error.message.slice('Cannot run "loki audit tail": '.length);
  }
  return assert.fail(`accepted: ${argv.join(' ')}`);
}

test('parseArgs() reads flags before, between and after operands', () => {
  const args = parse('--follow', 'a.log', '-n', '5', 'full', '--level=error');
  assert.equal(args.on('follow'), true);
  assert.equal(args.number('lines'), 5);
  assert.equal(args.text('level'), 'error');
  assert.equal(args.operand('FILE'), 'a.log');
  assert.equal(args.operand('MODE'), 'full');
});

test('parseArgs() reads a short flag with its value attached, with an equals sign, and in a bunch', () => {
  assert.equal(parse('f', '-n20').number('lines'), 20);
  assert.equal(parse('f', '-n=20').number('lines'), 20);
  const args = parse('f', '-fqn', '7');
  assert.deepEqual([args.on('follow'), args.on('quiet'), args.number('lines')], [true, true, 7]);
});

test('parseArgs() keeps the values of a repeated flag in order', () => {
  assert.deepEqual(parse('f', '--event', 'a', '--event=b').list('event'), ['a', 'b']);
});

test('parseArgs() takes everything after -- as operands, and a lone - as one', () => {
  assert.equal(parse('--', '--follow').operand('FILE'), '--follow');
  assert.equal(parse('-').operand('FILE'), '-');
});

test('parseArgs() reads a duration in milliseconds', () => {
  assert.equal(parse('f', '--period', '24h').number('period'), 86_400_000);
});

test('parseArgs() accepts a switch that is given twice', () => {
  assert.equal(parse('f', '-f', '--follow').on('follow'), true);
});

test('parseArgs() lets operands be missing when help is asked for', () => {
  assert.equal(parse('--help').on('help'), true);
});

const refusals: readonly (readonly [string, readonly string[], string])[] = [
  ['an unknown flag', ['f', '--folow'], 'there is no flag "--folow" (did you mean "--follow"?)'],
  ['an unknown flag with a value', ['f', '--evnt=x'], 'there is no flag "--evnt" (did you mean "--event"?)'],
  ['an unknown flag that is like no other', ['f', '--zzzzzz'], 'there is no flag "--zzzzzz"'],
  ['an unknown short flag', ['f', '-x'], 'there is no flag "-x"'],
  ['a long flag with one dash', ['f', '-period', '1h'], 'there is no flag "-p" (did you mean "--period"?)'],
  ['a name from Object.prototype', ['f', '--constructor'], 'there is no flag "--constructor"'],
  ['a missing value at the end', ['f', '--level'], '--level needs a value (VALUE)'],
  ['a flag where a value belongs', ['f', '--event', '--follow'], '--event needs a value (NAME), and "--follow" is a flag; to use it as the value write --event=--follow'],
  ['an empty value', ['f', '--event='], '--event needs a value (NAME), and was given an empty one'],
  ['a value for a switch', ['f', '--follow=yes'], '--follow takes no value, and was given "yes"'],
  ['text for a number', ['f', '-n', 'ten'], '--lines is a whole number from 1 to 1000, and was given "ten"'],
  ['a number in another notation', ['f', '-n', '1e3'], '--lines is a whole number from 1 to 1000, and was given "1e3"'],
  ['a negative number', ['f', '-n', '-5'], '--lines is a whole number from 1 to 1000, and was given "-5"'],
  ['a number beyond its bounds', ['f', '-n', '1001'], '--lines is a whole number from 1 to 1000, and was given "1001"'],
  ['a number with too many digits', ['f', '-n', '9'.repeat(400)], `--lines is a whole number from 1 to 1000, and was given "${'9'.repeat(400)}"`],
  ['a text that is no choice', ['f', '--level', 'eror'], '--level is one of info, error, and was given "eror" (did you mean "error"?)'],
  ['a text that is no duration', ['f', '--period', 'soon'], '--period is a length of time such as 30s, 24h or 7d, and was given "soon"'],
  ['one value too many for a flag', ['f', '--level', 'info', '--level', 'error'], '--level is given twice'],
  ['a missing operand', [], 'FILE is missing'],
  ['an empty operand', [''], 'FILE is empty'],
  ['an operand that is no choice', ['f', 'fulll'], 'MODE is one of full, quick, and was given "fulll" (did you mean "full"?)'],
  ['one operand too many', ['f', 'full', 'more'], '"more" is one argument too many'],
];

for (const [what, argv, message] of refusals) {
  test(`parseArgs() refuses ${what}`, () => assert.equal(refusal(...argv), message));
}

test('a repeated operand takes all that are left', () => {
  const args = parseArgs(['a', 'b', 'c'], { called: 'loki scan', flags: [], operands: [{ name: 'FIRST', summary: '' }, { name: 'PATHS', summary: '', repeated: true }] });
  assert.deepEqual(args.operands('PATHS'), ['b', 'c']);
});

test('asking for what the command does not declare is a defect', () => {
  assert.throws(() => parse('f').on('nothing'), { code: 'internal', message: 'Cannot read the flag "--nothing": the command does not declare it' });
  assert.throws(() => parse('f').operand('NOTHING'), { code: 'internal', message: 'Cannot read the operand "NOTHING": the command does not declare it' });
});
