import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml } from '../../../lib/formats/yaml/parse.ts';
import { printYaml } from '../../../lib/formats/yaml/print.ts';

test('values are written as a person would write them', () => {
  const value = {
    version: 1,
    policies: [{ name: 'no secrets', rule: 'file_path matches ".env"', on: true, tags: [], limits: {} }, [1, [2, null]]],
    text: 'first line\n\n  second: line\n',
    tail: 'a\nb',
  };
  const printed = [
    'version: 1',
    'policies:',
    '  - name: no secrets',
    '    rule: file_path matches ".env"',
    '    "on": true',
    '    tags: []',
    '    limits: {}',
    '  - - 1',
    '    - - 2',
    '      - null',
    'text: |',
    '  first line',
    '',
    '    second: line',
    'tail: |-',
    '  a',
    '  b',
    '',
  ].join('\n');
  assert.equal(printYaml(value), printed);
  assert.deepStrictEqual(parseYaml(printed), value);
});

test('a text that some YAML program takes for another type is quoted', () => {
  const texts = ['', ' ', 'no', 'Yes', 'on', 'OFF', 'y', 'N', 'null', '~', 'true', '1', '-1', '+1', '010', '0o7', '0x1F', '1_000', '1.10', '.5', '.inf', '1e3', '12:30:45', '2001-01-01', '=', '<<',
    '- a', '-', '? a', ':', 'a: b', 'a:', 'a #b', '#a', '[a', '{a', '&a', '*a', '!a', '|', '>', '%a', '@a', '`a', '"a', "'a", 'a ', ' a', '---', '...', 'a\tb', '\u0085', '\u2028', '\ufeff', '\u001b[31m', '\ud800', '\u202e'];
  for (const text of texts) {
    assert.match(printYaml(text), /^".*"\n$/, text);
    assert.equal(parseYaml(printYaml(text)), text);
  }
});

test('other texts are plain', () => {
  for (const text of ['a', 'file_path', 'two words', 'https://example.org/a?b=c', "it's", 'a, b', 'über', '/etc/passwd', 'a-b.c']) assert.equal(printYaml(text), `${text}\n`);
});

test('nothing in the output can move a terminal or hide text', () => {
  const printed = printYaml({ '\u001b]0;x\u0007': ['\u009b', '\u202e', '\r', '\u0000', 'a\u0008\nb'] });
  assert.doesNotMatch(printed, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('numbers keep their value and sign', () => {
  const numbers = [0, -0, 1.5, 1e21, -5e-324, Number.MAX_VALUE, 2 ** 60, NaN, Infinity, -Infinity];
  assert.equal(printYaml(numbers), '- 0\n- -0\n- 1.5\n- 1e+21\n- -5e-324\n- 1.7976931348623157e+308\n- 1152921504606847000\n- .nan\n- .inf\n- -.inf\n');
  assert.deepStrictEqual(parseYaml(printYaml(numbers)), numbers);
});

test('keys too long for a block are written in braces', () => {
  const value = { ['k'.repeat(1025)]: [1, { a: '\n' }], ['\u0001'.repeat(200)]: null };
  assert.match(printYaml(value), /^\{"k+": \[1, \{"a": "\\n"\}\]/);
  assert.deepStrictEqual(parseYaml(printYaml(value)), value);
  assert.deepStrictEqual(parseYaml(printYaml([{ ['\u0001'.repeat(200)]: 1 }])), [{ ['\u0001'.repeat(200)]: 1 }]);
});

test('what YAML cannot hold is refused by name', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const table: readonly (readonly [unknown, string])[] = [
    [undefined, 'a value of type undefined has no YAML form'], [{ a: undefined }, 'a value of type undefined has no YAML form'], [[() => 1], 'a value of type function has no YAML form'],
    [1n, 'a value of type bigint has no YAML form'], [Symbol('s'), 'a value of type symbol has no YAML form'], [new Date(0), 'an object with a class has no YAML form'],
    [new Map(), 'an object with a class has no YAML form'], [new Array(2), 'a value of type undefined has no YAML form'], [cycle, 'the nesting is deeper than 64 levels'],
    [{ ['k'.repeat(2000)]: cycle }, 'the nesting is deeper than 64 levels'], ['x'.repeat(1024 * 1024), 'the text is larger than 1048576 bytes'],
  ];
  for (const [value, found] of table) assert.throws(() => printYaml(value), { code: 'yaml.invalid', message: `Cannot print YAML: ${found}` });
});
